"""Token buckets that several processes share: each takes tokens out of the row in small batches."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.http.ratelimit.port import MOST_BUCKETS, Rate, Verdict
from crewai_runner.http.ratelimit.repository import Grant, RateBucketRepository

log = get_logger(__name__)
SHARE_OF_BURST = 20
MOST_IN_ADVANCE = 100
# A batch that lasted less than this was too small; a bucket found empty is not asked again sooner.
QUICK_SECONDS = 1.0
PAUSE_SECONDS = 0.1


class _Lease:
    """Tokens of one caller that this process has taken out of the row, and what it knows of the rest."""

    __slots__ = ("asked_at", "asking", "closed_until", "left", "tokens", "wanted")

    def __init__(self, burst: int) -> None:
        self.tokens, self.wanted, self.left = 0, 1, float(burst)
        self.asked_at = self.closed_until = float("-inf")
        self.asking: asyncio.Task[None] | None = None


class SharedRateLimiter:
    """Exact up to the tokens that lie unused in the processes: at most `in_advance` in each.

    A token is in the row or in one process, so with N processes never more than N times `in_advance`
    requests pass above the rate, and never more than (N - 1) times as many are refused below it.
    Without the database requests pass: they fail by themselves where they need it.
    """

    def __init__(self, sessions: Sessions, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions, self._rate, self._clock = sessions, rate, clock
        self.in_advance = max(1, min(MOST_IN_ADVANCE, rate.burst // SHARE_OF_BURST))
        self._leases: OrderedDict[str, _Lease] = OrderedDict()

    async def take(self, caller: str) -> Verdict:
        lease = self._lease(caller)
        while True:
            moment = self._clock()
            if lease.tokens > 0:
                lease.tokens -= 1
                return self._rate.verdict(self._held(lease, moment), allowed=True)
            if moment < lease.closed_until:
                return self._rate.verdict(min(self._held(lease, moment), 0.99), allowed=False)
            if lease.asking is None:
                lease.asking = asyncio.create_task(self._renew(caller, lease))
            # A caller who leaves must not take the batch with them that others wait for.
            await asyncio.shield(lease.asking)

    def __len__(self) -> int:
        return len(self._leases)

    def _lease(self, caller: str) -> _Lease:
        lease = self._leases.get(caller)
        if lease is None:
            lease = self._leases[caller] = _Lease(self._rate.burst)
            if len(self._leases) > MOST_BUCKETS:
                self._leases.popitem(last=False)
        self._leases.move_to_end(caller)
        return lease

    def _held(self, lease: _Lease, moment: float) -> float:
        """What the bucket holds as far as is known here: others may have taken from it since."""
        return min(self._rate.burst, lease.tokens + self._rate.refilled(lease.left, moment - lease.asked_at))

    async def _renew(self, caller: str, lease: _Lease) -> None:
        began = self._clock()
        busy = began - lease.asked_at < QUICK_SECONDS
        lease.wanted = min(self.in_advance, lease.wanted * 2) if busy else 1
        try:
            grant = await self._take_from_row(caller, lease.wanted)
        finally:
            lease.asking = None
        lease.asked_at = self._clock()
        lease.tokens, lease.left = grant.tokens, grant.left
        if grant.tokens == 0:
            wait = (1 - grant.left) / self._rate.per_second
            lease.closed_until = lease.asked_at + max(PAUSE_SECONDS, wait)

    async def _take_from_row(self, caller: str, wanted: int) -> Grant:
        try:
            async with unit_of_work(self._sessions) as session:
                return await RateBucketRepository(session).take(caller, wanted, self._rate)
        except (SQLAlchemyError, OSError) as error:
            log.warning("rate_limit.not_counted", error=type(error).__name__)
            return Grant(self.in_advance, 0.0)
