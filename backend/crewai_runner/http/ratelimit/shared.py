"""Rate limiter with token buckets in the database: each process takes tokens in small batches."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.http.ratelimit.port import MAX_BUCKETS, Rate, RateLimitDecision
from crewai_runner.http.ratelimit.repository import RateBucketRepository, TokenGrant

log = get_logger(__name__)
BATCHES_PER_BURST = 20
MAX_BATCH_SIZE = 100
# A batch that is used up faster than this doubles the size of the next one.
FAST_BATCH_SECONDS = 1.0
# An empty bucket is queried again after this time.
EMPTY_BUCKET_SECONDS = 0.1


class _TokenBatch:
    """The tokens that this process has taken for one caller, and the last known state of the bucket."""

    __slots__ = ("empty_until", "fetched_at", "fetching", "left", "size", "tokens")

    def __init__(self, burst: int) -> None:
        self.tokens, self.size, self.left = 0, 1, float(burst)
        self.fetched_at = self.empty_until = float("-inf")
        self.fetching: asyncio.Task[None] | None = None


class SharedRateLimiter:
    """Exact up to the unused tokens in the batches of the processes: at most `max_batch` in each.

    A token is either in the bucket or in one process. So N processes together allow at most N times
    `max_batch` requests above the rate, and reject at most (N - 1) times `max_batch` below it. Without the
    database all requests are allowed; those that need it fail anyway.
    """

    def __init__(self, sessions: Sessions, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions, self._rate, self._clock = sessions, rate, clock
        self.max_batch = max(1, min(MAX_BATCH_SIZE, rate.burst // BATCHES_PER_BURST))
        self._batches: OrderedDict[str, _TokenBatch] = OrderedDict()

    async def take(self, caller: str) -> RateLimitDecision:
        batch = self._get_batch(caller)
        while True:
            current = self._clock()
            if batch.tokens > 0:
                batch.tokens -= 1
                return self._rate.decide(self._estimate_tokens(batch, current), allowed=True)
            if current < batch.empty_until:
                return self._rate.decide(min(self._estimate_tokens(batch, current), 0.99), allowed=False)
            if batch.fetching is None:
                batch.fetching = asyncio.create_task(self._fetch(caller, batch))
            # Shielded: a cancelled request must not cancel the fetch that others wait for.
            await asyncio.shield(batch.fetching)

    def __len__(self) -> int:
        return len(self._batches)

    def _get_batch(self, caller: str) -> _TokenBatch:
        batch = self._batches.get(caller)
        if batch is None:
            batch = self._batches[caller] = _TokenBatch(self._rate.burst)
            if len(self._batches) > MAX_BUCKETS:
                self._batches.popitem(last=False)
        self._batches.move_to_end(caller)
        return batch

    def _estimate_tokens(self, batch: _TokenBatch, current: float) -> float:
        """Estimate the caller's tokens; other processes may have taken some since the last fetch."""
        refilled = self._rate.refill(batch.left, current - batch.fetched_at)
        return min(self._rate.burst, batch.tokens + refilled)

    async def _fetch(self, caller: str, batch: _TokenBatch) -> None:
        is_busy = self._clock() - batch.fetched_at < FAST_BATCH_SECONDS
        batch.size = min(self.max_batch, batch.size * 2) if is_busy else 1
        try:
            grant = await self._take_from_bucket(caller, batch.size)
        finally:
            batch.fetching = None
        batch.fetched_at = self._clock()
        batch.tokens, batch.left = grant.tokens, grant.left
        if grant.tokens == 0:
            wait = (1 - grant.left) / self._rate.per_second
            batch.empty_until = batch.fetched_at + max(EMPTY_BUCKET_SECONDS, wait)

    async def _take_from_bucket(self, caller: str, wanted: int) -> TokenGrant:
        try:
            async with unit_of_work(self._sessions) as session:
                return await RateBucketRepository(session).take(caller, wanted, self._rate)
        except (SQLAlchemyError, OSError) as error:
            log.warning("rate_limit.database_unavailable", error=type(error).__name__)
            return TokenGrant(self.max_batch, 0.0)
