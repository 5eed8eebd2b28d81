"""The current time; no other module reads the system clock."""

from datetime import UTC, datetime
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
