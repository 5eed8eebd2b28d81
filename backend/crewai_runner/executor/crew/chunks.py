"""Streamed text, gathered so that no call tells more than some twenty pieces a second."""

import asyncio
import math
import threading
import time
from collections.abc import Callable

INTERVAL = 0.05


class Chunks:
    """The unsent text of one model call. Thread-safe."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._lock = threading.RLock()
        self._pieces: list[str] = []
        self._last = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, text: str) -> None:
        """Send at once after a pause, otherwise together with what follows shortly."""
        with self._lock:
            self._pieces.append(text)
            wait = self._last + INTERVAL - time.monotonic()
            if wait <= 0:
                self.flush()
            elif self._timer is None:
                self._timer = _later(wait, self.flush)

    def flush(self) -> None:
        """Send what has gathered."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._pieces:
                text = "".join(self._pieces)
                self._pieces.clear()
                self._last = time.monotonic()
                self._tell(text)


def _later(seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle | None:
    try:
        return asyncio.get_running_loop().call_later(seconds, act)
    except RuntimeError:  # a thread without a loop: the next piece or the end sends it
        return None
