"""Merges streamed text so that a model call emits at most about 20 chunks per second."""

import asyncio
import math
import threading
import time
from collections.abc import Callable

INTERVAL_SECONDS = 0.05


class ChunkBuffer:
    """Buffers streamed text of one model call. Thread-safe."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._lock = threading.RLock()
        self._pieces: list[str] = []
        self._last_emitted_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, text: str) -> None:
        """Emit the text at once, or together with what follows within the interval."""
        with self._lock:
            self._pieces.append(text)
            delay = self._last_emitted_at + INTERVAL_SECONDS - time.monotonic()
            if delay <= 0:
                self.flush()
            elif self._timer is None:
                self._timer = _schedule(delay, self.flush)

    def flush(self) -> None:
        """Emit the buffered text."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._pieces:
                text = "".join(self._pieces)
                self._pieces.clear()
                self._last_emitted_at = time.monotonic()
                self._emit(text)


def _schedule(seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle | None:
    try:
        return asyncio.get_running_loop().call_later(seconds, callback)
    except RuntimeError:  # no loop in this thread: the next chunk or the end of the call emits the text
        return None
