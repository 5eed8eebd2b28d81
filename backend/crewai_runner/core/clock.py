"""The current time; no other module reads the system clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC, timezone-aware, truncated to milliseconds.

    The API and both databases store milliseconds.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
