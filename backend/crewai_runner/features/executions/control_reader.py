"""Reads the requests to all running crews of this process together."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.core.supervision import restart_on_error
from crewai_runner.core.waiting import retrieve_error
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.features.executions.control_repository import ControlRepository, RunRequests

log = get_logger(__name__)
EMBEDDED_SWEEP_SECONDS = 10.0
SHARED_SWEEP_SECONDS = 1.0
"""Sweeps find the requests whose notification was lost, which can happen between processes."""

ApplyRequests = Callable[[RunRequests | None], None]
"""Receives the requests to a run; None if it was deleted."""


class ControlReader:
    """One query for all runs whose requests are wanted at the same time; sweeps read all running runs."""

    def __init__(self, sessions: Sessions, *, is_embedded: bool) -> None:
        self._sessions = sessions
        self._sweep_seconds = EMBEDDED_SWEEP_SECONDS if is_embedded else SHARED_SWEEP_SECONDS
        self._running: dict[ApplyRequests, str] = {}
        self._wanted: set[str] = set()
        self._reading = asyncio.Lock()
        self._next_read: asyncio.Task[Mapping[str, RunRequests]] | None = None
        self._sweeping: asyncio.Task[None] | None = None

    @contextmanager
    def register(self, run_id: str, apply: ApplyRequests) -> Iterator[None]:
        """Call `apply` with the run's requests at each sweep, until the end of the block."""
        self._running[apply] = run_id
        if self._sweeping is None:
            self._sweeping = asyncio.create_task(
                restart_on_error("control", self._sweep_until_cancelled), name="control-sweep"
            )
        try:
            yield
        finally:
            del self._running[apply]
            if not self._running:
                self._sweeping.cancel()
                self._sweeping = None

    async def read(self, run_id: str) -> RunRequests | None:
        """Return the requests to a run that were committed before this call; None if it was deleted.

        Raises SQLAlchemyError and OSError.
        """
        self._wanted.add(run_id)
        if self._next_read is None:
            self._next_read = asyncio.create_task(self._read_wanted(), name="control-read")
            self._next_read.add_done_callback(retrieve_error)
        return (await asyncio.shield(self._next_read)).get(run_id)

    async def _read_wanted(self) -> Mapping[str, RunRequests]:
        async with self._reading:  # who asks from here on may want what this read does not see any more
            wanted, self._wanted, self._next_read = self._wanted, set(), None
            return await self._read(wanted)

    async def _read(self, run_ids: Collection[str]) -> Mapping[str, RunRequests]:
        async with read_session(self._sessions) as session:
            return await ControlRepository(session).list_requests(run_ids)

    async def sweep(self) -> None:
        """Read the requests to all registered runs and pass them on. Raises SQLAlchemyError and OSError."""
        swept = dict(self._running)  # a run that begins during the read is not in its answer
        requests = await self._read(set(swept.values()))
        for apply, run_id in swept.items():
            if apply in self._running:
                apply(requests.get(run_id))

    async def _sweep_until_cancelled(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_seconds)
            try:
                await self.sweep()
            except (SQLAlchemyError, OSError) as error:
                log.warning("control.retry", error=type(error).__name__)
