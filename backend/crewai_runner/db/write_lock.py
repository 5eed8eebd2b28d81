"""A fair lock for the writers of one process: SQLite allows one writing transaction at a time.

SQLite itself lets waiting writers sleep and try again in any order, so that one of them may wait for seconds.
"""

import asyncio
from collections import deque


class WriteLock:
    """First come, first served; `first` puts a waiter in front of the others. Use it on one event loop."""

    def __init__(self) -> None:
        self._is_held = False
        self._waiters: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, first: bool = False) -> None:
        if not self._is_held:
            self._is_held = True
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if first:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._waiters.remove(waiter)
            else:  # `release` gave the lock to this waiter, which no longer wants it
                self.release()
            raise

    def release(self) -> None:
        """Give the lock to the next waiter."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._is_held = False
