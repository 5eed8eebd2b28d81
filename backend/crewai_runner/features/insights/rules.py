"""Which time a look at the figures spans, and how figures are put together. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Self

from crewai_runner.domain.usage import Cost, normalize_amount

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(StrEnum):
    """How far back to look."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


_SPANS = {
    Period.DAY: (timedelta(hours=1), 24),
    Period.WEEK: (timedelta(hours=6), 28),
    Period.MONTH: (timedelta(days=1), 30),
}


@dataclass(frozen=True, slots=True)
class Window:
    """Buckets of one length, one after the other; the last one holds the present."""

    since: datetime
    step: timedelta
    count: int

    @classmethod
    def of(cls, period: Period, moment: datetime) -> Self:
        """The window that ends with the bucket of this moment; buckets begin at full steps of UTC."""
        step, count = _SPANS[period]
        until = moment - (moment - _EPOCH) % step + step
        return cls(until - count * step, step, count)

    @property
    def until(self) -> datetime:
        return self.since + self.count * self.step

    @property
    def starts(self) -> list[datetime]:
        return [self.since + number * self.step for number in range(self.count)]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a number of runs came to; sums are of what is known."""

    completed: int = 0
    failed: int = 0
    stopped: int = 0
    crashed: int = 0
    active: int = 0
    tokens: int = 0
    tokens_unknown: int = 0
    cost: Decimal | None = None
    cost_unknown: int = 0
    currencies: frozenset[str] = frozenset()

    @property
    def runs(self) -> int:
        return self.completed + self.failed + self.stopped + self.crashed + self.active

    @property
    def success_rate(self) -> float | None:
        """Completed among those that came to an end of their own; a stop is nobody's failure."""
        ended = self.completed + self.failed + self.crashed
        return round(self.completed / ended, 4) if ended else None

    @property
    def total_tokens(self) -> int | None:
        return None if self.tokens_unknown else self.tokens

    @property
    def known_cost(self) -> Cost | None:
        """The sum of what is known; None when nothing is, or when currencies differ."""
        if self.cost is None or len(self.currencies) != 1:
            return None
        return Cost(amount=normalize_amount(self.cost), currency=min(self.currencies))

    @property
    def exact_cost(self) -> Cost | None:
        """The sum, when every run's cost is known."""
        return None if self.cost_unknown else self.known_cost


def added(parts: Iterable[Figures]) -> Figures:
    """All figures together."""
    given = list(parts)
    costs = [part.cost for part in given if part.cost is not None]
    return Figures(
        completed=sum(part.completed for part in given),
        failed=sum(part.failed for part in given),
        stopped=sum(part.stopped for part in given),
        crashed=sum(part.crashed for part in given),
        active=sum(part.active for part in given),
        tokens=sum(part.tokens for part in given),
        tokens_unknown=sum(part.tokens_unknown for part in given),
        cost=sum(costs, Decimal(0)) if costs else None,
        cost_unknown=sum(part.cost_unknown for part in given),
        currencies=frozenset().union(*(part.currencies for part in given)),
    )
