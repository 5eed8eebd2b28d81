"""The current time; no other module reads the system clock."""

from datetime import UTC, datetime
from time import monotonic
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def now() -> datetime:
    """Return the current time in UTC, timezone-aware, truncated to milliseconds.

    The API and both databases store milliseconds.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be in the years 1 to 9999, in UTC too") from None


Moment = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A time from outside, in UTC: near the ends of the calendar a database could not convert it."""


class Stopwatch:
    """Measures active seconds on top of an earlier total; steps of the system clock do not affect it."""

    def __init__(self, seconds_before: float = 0.0) -> None:
        self._seconds_before = seconds_before
        self._started_at = monotonic()
        self._stopped_at: float | None = None

    @property
    def seconds(self) -> float:
        """The seconds until now, or until `stop`."""
        end = monotonic() if self._stopped_at is None else self._stopped_at
        return self._seconds_before + end - self._started_at

    def stop(self) -> None:
        """Stop measuring; a second call changes nothing."""
        if self._stopped_at is None:
            self._stopped_at = monotonic()
