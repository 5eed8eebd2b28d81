"""A job body that records its calls and can be held."""

import asyncio
from collections.abc import Callable


class RecordingJob:
    """Records started, ended and interrupted calls; the call of a held run waits for `release`."""

    def __init__(self) -> None:
        self.started: list[tuple[str, int]] = []
        self.ended: list[tuple[str, int]] = []
        self.interrupted: list[tuple[str, int]] = []
        self.max_concurrent = 0
        self.broken: set[str] = set()
        self.loops: set[asyncio.AbstractEventLoop] = set()
        self._gates: dict[str, asyncio.Event] = {}
        self._changed = asyncio.Event()

    def hold(self, *run_ids: str) -> None:
        for run_id in run_ids:
            self._gates[run_id] = asyncio.Event()

    def release(self, *run_ids: str) -> None:
        for run_id in run_ids or tuple(self._gates):
            self._gates[run_id].set()

    async def __call__(self, run_id: str, attempt: int) -> None:
        key = (run_id, attempt)
        self._record(self.started, key)
        self.loops.add(asyncio.get_running_loop())
        self.max_concurrent = max(self.max_concurrent, self.running)
        try:
            if run_id in self.broken:
                raise RuntimeError(f"planted failure of {run_id}")
            if run_id in self._gates:
                await self._gates[run_id].wait()
        except asyncio.CancelledError:
            self._record(self.interrupted, key)
            raise
        self._record(self.ended, key)

    @property
    def running(self) -> int:
        return len(self.started) - len(self.ended) - len(self.interrupted)

    @property
    def order(self) -> list[str]:
        return [run_id for run_id, _ in self.started]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_started(self, *run_ids: str) -> None:
        await self.until(lambda: set(run_ids) <= set(self.order))

    async def until_started_count(self, number: int) -> None:
        await self.until(lambda: len(self.started) >= number)

    async def until_ended(self, *run_ids: str) -> None:
        await self.until(lambda: set(run_ids) <= {run_id for run_id, _ in self.ended})

    def _record(self, where: list[tuple[str, int]], key: tuple[str, int]) -> None:
        where.append(key)
        self._changed.set()
