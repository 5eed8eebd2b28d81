"""Rate limit for failed sign-ins."""

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CLIENTS = 10_000


class SignInFailureLimiter:
    """A token bucket of failures per client address, in bounded memory.

    `per_minute` failures are allowed at once; every 60 / per_minute seconds allow another one.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._failures: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def get_wait_seconds(self, client: str) -> float:
        """Return the seconds until another failure is allowed; 0 if one is allowed now."""
        count = self._count(client)
        if count < self._per_minute:
            return 0.0
        return (count - self._per_minute + 1) * 60 / self._per_minute

    def record_failure(self, client: str) -> None:
        self._failures[client] = (self._count(client) + 1, self._clock())
        self._failures.move_to_end(client)
        if len(self._failures) > MAX_CLIENTS:
            self._failures.popitem(last=False)

    def _count(self, client: str) -> float:
        count, since = self._failures.get(client, (0.0, 0.0))
        return max(0.0, count - (self._clock() - since) * self._per_minute / 60)
