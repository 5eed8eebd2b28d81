"""Time windows and aggregates of run statistics. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Self

from crewai_runner.domain.usage import Cost, normalize_amount

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Period(StrEnum):
    """The length of the window."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


_BUCKETS = {
    Period.DAY: (timedelta(hours=1), 24),
    Period.WEEK: (timedelta(hours=6), 28),
    Period.MONTH: (timedelta(days=1), 30),
}


def start_of(span: timedelta, moment: datetime) -> datetime:
    """Return the start of the span that contains a moment; spans are counted in UTC."""
    return moment - (moment - EPOCH) % span


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Consecutive buckets of equal length; the last one contains the current time."""

    since: datetime
    step: timedelta
    count: int

    @classmethod
    def ending_at(cls, period: Period, at: datetime) -> Self:
        """Return the window whose last bucket contains `at`; buckets start at multiples of `step` in UTC."""
        step, count = _BUCKETS[period]
        until = start_of(step, at) + step
        return cls(until - count * step, step, count)

    @property
    def until(self) -> datetime:
        return self.since + self.count * self.step

    @property
    def starts(self) -> list[datetime]:
        return [self.since + index * self.step for index in range(self.count)]


@dataclass(frozen=True, slots=True)
class RunAggregate:
    """Counts and sums over a set of runs; the sums include the known values only."""

    completed: int = 0
    failed: int = 0
    stopped: int = 0
    crashed: int = 0
    active: int = 0
    """Of this server."""
    active_elsewhere: int = 0
    token_sum: int = 0
    runs_with_unknown_tokens: int = 0
    cost_sum: Decimal | None = None
    runs_with_unknown_cost: int = 0
    currencies: frozenset[str] = frozenset()

    @property
    def runs(self) -> int:
        return (
            self.completed + self.failed + self.stopped + self.crashed + self.active + self.active_elsewhere
        )

    @property
    def success_rate(self) -> float | None:
        """Completed runs divided by completed, failed and crashed runs; stopped runs do not count."""
        ended = self.completed + self.failed + self.crashed
        return round(self.completed / ended, 4) if ended else None

    @property
    def total_tokens(self) -> int | None:
        return None if self.runs_with_unknown_tokens else self.token_sum

    @property
    def known_cost(self) -> Cost | None:
        """The sum of the known costs; None if no cost is known or if currencies differ."""
        if self.cost_sum is None or len(self.currencies) != 1:
            return None
        return Cost(amount=normalize_amount(self.cost_sum), currency=min(self.currencies))

    @property
    def exact_cost(self) -> Cost | None:
        """The sum of the costs; None unless the cost of every run is known."""
        return None if self.runs_with_unknown_cost else self.known_cost


def sum_aggregates(parts: Iterable[RunAggregate]) -> RunAggregate:
    aggregates = list(parts)
    costs = [part.cost_sum for part in aggregates if part.cost_sum is not None]
    return RunAggregate(
        completed=sum(part.completed for part in aggregates),
        failed=sum(part.failed for part in aggregates),
        stopped=sum(part.stopped for part in aggregates),
        crashed=sum(part.crashed for part in aggregates),
        active=sum(part.active for part in aggregates),
        active_elsewhere=sum(part.active_elsewhere for part in aggregates),
        token_sum=sum(part.token_sum for part in aggregates),
        runs_with_unknown_tokens=sum(part.runs_with_unknown_tokens for part in aggregates),
        cost_sum=sum(costs, Decimal(0)) if costs else None,
        runs_with_unknown_cost=sum(part.runs_with_unknown_cost for part in aggregates),
        currencies=frozenset().union(*(part.currencies for part in aggregates)),
    )


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds of completed runs: not interpolated, so each value is one of theirs."""

    median: float | None
    p95: float | None
    medians: Mapping[str, float]
    """By workflow key."""


def summarize_durations(seconds: Mapping[str, Sequence[float]]) -> Durations:
    """Summarize the durations of runs, given as seconds by workflow key."""
    by_key = {key: sorted(durations) for key, durations in seconds.items()}
    ordered = sorted(chain.from_iterable(by_key.values()))
    return Durations(
        median=_find_percentile(ordered, 50),
        p95=_find_percentile(ordered, 95),
        medians={key: durations[(len(durations) - 1) // 2] for key, durations in by_key.items()},
    )


def _find_percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the smallest value that `percent` of the values do not exceed."""
    return ordered[(len(ordered) * percent + 99) // 100 - 1] if ordered else None
