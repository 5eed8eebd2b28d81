"""Limits failed sign-ins per client address, and per account over all addresses."""

import time
from collections import OrderedDict
from collections.abc import Callable

from crewai_runner.features.auth.rules import ACCOUNT_FACTOR, MAX_CLIENTS, FailureBuckets


class MemorySignInLimiter:
    """Exact for a single process."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses = FailureBuckets(per_minute, clock)
        self._accounts = FailureBuckets(per_minute * ACCOUNT_FACTOR, clock)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    async def get_wait_seconds(self, address: str, account: str) -> float:
        return self.find_wait_seconds(address, account)

    async def record_failure(self, address: str, account: str) -> None:
        self.count_failure(address, account)

    async def record_success(self, address: str, account: str) -> None:
        self.add_known(address, account)

    def find_wait_seconds(self, address: str, account: str) -> float:
        wait = self._addresses.get_wait_seconds(address)
        if not self.is_known(address, account):
            wait = max(wait, self._accounts.get_wait_seconds(account))
        return wait

    def count_failure(self, address: str, account: str) -> None:
        self._addresses.record_failure(address)
        self._accounts.record_failure(account)

    def raise_counts(self, address: str, failures: float, account: str, account_failures: float) -> None:
        """Raise the counts to at least these, which all processes have counted."""
        self._addresses.raise_to(address, failures)
        self._accounts.raise_to(account, account_failures)

    def is_known(self, address: str, account: str) -> bool:
        return (account, address) in self._known

    def add_known(self, address: str, account: str) -> None:
        self._known[(account, address)] = None
        self._known.move_to_end((account, address))
        if len(self._known) > MAX_CLIENTS:
            self._known.popitem(last=False)
