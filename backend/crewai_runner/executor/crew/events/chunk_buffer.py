"""Limits streamed text: a model call emits at most about 25 chunks per second, and so much text in all."""

import asyncio
import math
import threading
import time
from collections.abc import Callable

from crewai_runner.executor.crew.context.redaction import MAX_TEXT_LENGTH
from crewai_runner.executor.port import ReplacingText

INTERVAL_SECONDS = 0.04
MAX_LENGTH = MAX_TEXT_LENGTH
"""How much of an answer is shown live: as much as its event stores. Every character is masked before."""
LENGTH_NOTE = "\n… The rest of this long answer is not shown live."


class ChunkBuffer:
    """Buffers streamed text of one model call. Thread-safe."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._replaces = False
        self._lock = threading.RLock()
        self._pieces: list[str] = []
        self._length = 0
        self._last_emitted_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None

    def add(self, text: str) -> None:
        """Emit the text at once, or together with what follows within the interval."""
        with self._lock:
            if self._length > MAX_LENGTH:
                return
            self._pieces.append(self._limit(text))
            delay = self._last_emitted_at + INTERVAL_SECONDS - time.monotonic()
            if delay <= 0:
                self.flush()
            elif self._timer is None:
                self._timer = _schedule(delay, self.flush)

    def replace(self, text: str) -> None:
        """Emit the text in place of all text before it."""
        with self._lock:
            self._length = 0
            self._pieces = [self._limit(text)]
            self._replaces = True
            self.flush()

    def _limit(self, text: str) -> str:
        """Count the text; return what may be shown of it, with a note where the limit is exceeded."""
        room = MAX_LENGTH - self._length
        self._length += len(text)
        return text if len(text) <= room else text[:room] + LENGTH_NOTE

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
                replaces, self._replaces = self._replaces, False
                self._emit(ReplacingText(text) if replaces else text)


def _schedule(seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle | None:
    try:
        return asyncio.get_running_loop().call_later(seconds, callback)
    except RuntimeError:  # no loop in this thread: the next chunk or the end of the call emits the text
        return None
