"""Limits how many calls of one caller wait for their runs in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MAX_WAITING = 100


class WaitingCalls:
    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._counts: Counter[str] = Counter()

    @contextmanager
    def enter(self, caller: str) -> Iterator[bool]:
        """Yield whether this call may wait; it counts until the end of the block."""
        if self._counts[caller] >= self._limit:
            yield False
            return
        self._counts[caller] += 1
        try:
            yield True
        finally:
            self._counts[caller] -= 1
            if not self._counts[caller]:
                del self._counts[caller]
