"""A job body that can be held, let go and waited for."""

import asyncio
from collections.abc import Callable


class WatchedBody:
    """Notes what begins, ends and is interrupted; a held run goes on only when let go."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.ended: list[tuple[str, int]] = []
        self.interrupted: list[tuple[str, int]] = []
        self.most_at_once = 0
        self.broken: set[str] = set()
        self.loops: set[asyncio.AbstractEventLoop] = set()
        self._gates: dict[str, asyncio.Event] = {}
        self._news = asyncio.Event()

    def hold(self, *run_ids: str) -> None:
        for run_id in run_ids:
            self._gates[run_id] = asyncio.Event()

    def let_go(self, *run_ids: str) -> None:
        for run_id in run_ids or tuple(self._gates):
            self._gates[run_id].set()

    async def __call__(self, run_id: str, attempt: int) -> None:
        key = (run_id, attempt)
        self._note(self.begun, key)
        self.loops.add(asyncio.get_running_loop())
        self.most_at_once = max(self.most_at_once, self.running)
        try:
            if run_id in self.broken:
                raise RuntimeError(f"planted failure of {run_id}")
            if run_id in self._gates:
                await self._gates[run_id].wait()
        except asyncio.CancelledError:
            self._note(self.interrupted, key)
            raise
        self._note(self.ended, key)

    @property
    def running(self) -> int:
        return len(self.begun) - len(self.ended) - len(self.interrupted)

    @property
    def order(self) -> list[str]:
        return [run_id for run_id, _ in self.begun]

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not happened():
                self._news.clear()
                await self._news.wait()

    async def until_begun(self, *run_ids: str) -> None:
        await self.until(lambda: set(run_ids) <= set(self.order))

    async def until_begun_in_all(self, number: int) -> None:
        await self.until(lambda: len(self.begun) >= number)

    async def until_ended(self, *run_ids: str) -> None:
        await self.until(lambda: set(run_ids) <= {run_id for run_id, _ in self.ended})

    def _note(self, where: list[tuple[str, int]], key: tuple[str, int]) -> None:
        where.append(key)
        self._news.set()
