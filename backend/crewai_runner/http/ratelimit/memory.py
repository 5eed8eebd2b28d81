"""Rate limiter with token buckets in memory."""

import time
from collections import OrderedDict
from collections.abc import Callable

from crewai_runner.http.ratelimit.port import MAX_BUCKETS, Rate, RateLimitDecision


class MemoryRateLimiter:
    """Exact for a single process. A caller whose bucket was dropped starts with a full one."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def take(self, caller: str) -> RateLimitDecision:
        rate, current = self._rate, self._clock()
        tokens, updated = self._buckets.get(caller) or (float(rate.burst), current)
        tokens = rate.refill(tokens, current - updated)
        allowed = rate.has_token(tokens)
        if allowed:
            tokens -= 1
        self._buckets[caller] = (tokens, current)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return rate.decide(tokens, allowed=allowed)

    def __len__(self) -> int:
        return len(self._buckets)
