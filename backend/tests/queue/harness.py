"""A started queue, the product's tables beside it, and a body that can be watched."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.queue.port import JobQueue
from tests.queue.recording_job import RecordingJob


async def eventually(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Wait until a question about the store gets the wanted answer."""
    seen = await look()
    deadline = asyncio.get_running_loop().time() + 30
    while seen != wanted and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)
        seen = await look()
    assert seen == wanted


class QueueHarness:
    """A database with one product table, and queues opened on it."""

    def __init__(self, sessions: Sessions, make: Callable[..., JobQueue], exits: AsyncExitStack) -> None:
        self.sessions = sessions
        self.job = RecordingJob()
        self._make = make
        self._exits = exits

    async def open(self, *, consume: bool = True, **options: int) -> JobQueue:
        queue = self._make(**options)
        await queue.start(self.job, consume=consume)
        self._exits.push_async_callback(queue.drain, 0)
        return queue

    async def submit(self, queue: JobQueue, *run_ids: str, tenant: str = "t", priority: int = 10) -> None:
        async with unit_of_work(self.sessions) as session:
            for run_id in run_ids:
                await queue.submit(session, run_id, 1, tenant=tenant, priority=priority)
