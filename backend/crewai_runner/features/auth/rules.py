"""Limits on failed sign-ins."""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CLIENTS = 10_000
ACCOUNT_FACTOR = 10
"""How many times the limit of one address all addresses together may fail for one account."""

ROUNDING = 1e-6


class FailureBuckets:
    """Token buckets of failures by key, in bounded memory.

    `per_minute` failures are allowed at once; every 60 / per_minute seconds allow another one.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def get_wait_seconds(self, key: str) -> float:
        """Return the seconds until another failure is allowed; 0 if one is allowed now."""
        excess = self._count(key) + 1 - self._per_minute
        return excess * 60 / self._per_minute if excess > ROUNDING else 0.0

    def record_failure(self, key: str) -> None:
        self._set(key, self._count(key) + 1)

    def raise_to(self, key: str, count: float) -> None:
        """Count at least this many failures now: what several processes have counted together."""
        if count > self._count(key):
            self._set(key, count)

    def _set(self, key: str, count: float) -> None:
        self._failures[key] = (count, self._clock())
        self._failures.move_to_end(key)
        if len(self._failures) > MAX_CLIENTS:
            self._failures.popitem(last=False)

    def _count(self, key: str) -> float:
        count, since = self._failures.get(key, (0.0, 0.0))
        return max(0.0, count - (self._clock() - since) * self._per_minute / 60)
