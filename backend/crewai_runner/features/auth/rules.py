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
        self._failures[key] = (self._count(key) + 1, self._clock())
        self._failures.move_to_end(key)
        if len(self._failures) > MAX_CLIENTS:
            self._failures.popitem(last=False)

    def _count(self, key: str) -> float:
        count, since = self._failures.get(key, (0.0, 0.0))
        return max(0.0, count - (self._clock() - since) * self._per_minute / 60)


class SignInLimiter:
    """Limits failed sign-ins per client address, and per account over all addresses.

    An address that has signed in to the account before is exempt from the account's limit, so that guesses
    from elsewhere do not lock its owner out.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = FailureBuckets(per_minute, clock)
        self._accounts = FailureBuckets(per_minute * ACCOUNT_FACTOR, clock)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def get_wait_seconds(self, address: str, account: str) -> float:
        """Return the seconds until this address may try again; 0 if it may now."""
        wait = self._addresses.get_wait_seconds(address)
        if (account, address) not in self._known:
            wait = max(wait, self._accounts.get_wait_seconds(account))
        return wait

    def record_failure(self, address: str, account: str) -> None:
        self._addresses.record_failure(address)
        self._accounts.record_failure(account)

    def record_success(self, address: str, account: str) -> None:
        self._known[(account, address)] = None
        self._known.move_to_end((account, address))
        if len(self._known) > MAX_CLIENTS:
            self._known.popitem(last=False)
