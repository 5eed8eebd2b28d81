"""Limits the rate of model calls."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable


class ModelRateLimiter:
    """Allows at most `calls_per_window` calls in any window of `window` seconds. Thread-safe."""

    def __init__(
        self, calls_per_window: int, *, window: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = threading.Lock()
        self._window = window
        self._clock = clock
        self._recent_calls: deque[float] = deque(maxlen=calls_per_window)

    def reserve(self) -> float:
        """Reserve the next call and return the seconds to wait before making it."""
        with self._lock:
            start = now = self._clock()
            if len(self._recent_calls) == self._recent_calls.maxlen:
                start = max(now, self._recent_calls[0] + self._window)
            self._recent_calls.append(start)
            return start - now

    async def acquire(self) -> None:
        """Wait until the next call may be made."""
        if (seconds := self.reserve()) > 0:
            await asyncio.sleep(seconds)
