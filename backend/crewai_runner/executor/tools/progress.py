"""What a tool reports while a call runs, as far as it is passed on."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.core.text import replace_unstorable

MAX_REPORTS = 60
"""Of one call; each one is stored as an event."""
MAX_BURST = 5
REPORTS_PER_SECOND = 1.0
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class ToolProgress:
    """A text, how much is done, or both. `progress` counts up to `total`, in units of the tool's choice."""

    text: str = ""
    progress: float | None = None
    total: float | None = None


OnProgress = Callable[[ToolProgress], None]
"""Receives reports, from any thread."""


@dataclass(slots=True)
class ProgressLimiter:
    """Passes reports of one call on to `report`, masked: five at once, then one a second, 60 in all.

    Reports beyond that are dropped: a tool may send any number of them. Thread-safe.
    """

    report: OnProgress
    mask: TextMask
    clock: Callable[[], float] = time.monotonic
    _left: int = MAX_REPORTS
    _tokens: float = MAX_BURST
    _filled_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, progress: ToolProgress) -> None:
        if self._take():
            text = replace_unstorable(self.mask(progress.text))[:MAX_TEXT]
            self.report(replace(progress, text=text))

    def _take(self) -> bool:
        with self._lock:
            at = self.clock()
            elapsed = at - (at if self._filled_at is None else self._filled_at)
            self._tokens = min(MAX_BURST, self._tokens + elapsed * REPORTS_PER_SECOND)
            self._filled_at = at
            if self._left <= 0 or self._tokens < 1:
                return False
            self._tokens -= 1
            self._left -= 1
            return True
