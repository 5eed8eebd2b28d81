"""Token buckets of one process."""

import time
from collections import OrderedDict
from collections.abc import Callable

from crewai_runner.http.ratelimit.port import MOST_BUCKETS, Rate, Verdict


class MemoryRateLimiter:
    """Exact where one process answers everybody. A forgotten bucket begins full again."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def take(self, caller: str) -> Verdict:
        rate, moment = self._rate, self._clock()
        tokens, since = self._buckets.get(caller) or (float(rate.burst), moment)
        tokens = rate.refilled(tokens, moment - since)
        allowed = rate.holds_one(tokens)
        if allowed:
            tokens -= 1
        self._buckets[caller] = (tokens, moment)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return rate.verdict(tokens, allowed=allowed)

    def __len__(self) -> int:
        return len(self._buckets)
