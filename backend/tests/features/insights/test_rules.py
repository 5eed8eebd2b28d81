"""Which time a look spans, and how figures add up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crewai_runner.domain.usage import Cost
from crewai_runner.features.insights.rules import Period, RunAggregate, TimeWindow, sum_aggregates

NOON = datetime(2026, 3, 10, 12, 34, 56, tzinfo=UTC)
DOLLARS, EUROS = frozenset({"USD"}), frozenset({"EUR"})


@pytest.mark.parametrize(
    ("period", "since", "until", "count"),
    [
        (Period.DAY, datetime(2026, 3, 9, 13, tzinfo=UTC), datetime(2026, 3, 10, 13, tzinfo=UTC), 24),
        (Period.WEEK, datetime(2026, 3, 3, 18, tzinfo=UTC), datetime(2026, 3, 10, 18, tzinfo=UTC), 28),
        (Period.MONTH, datetime(2026, 2, 9, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC), 30),
    ],
)
def test_a_window_ends_with_the_stretch_that_holds_the_present(
    period: Period, since: datetime, until: datetime, count: int
) -> None:
    window = TimeWindow.ending_at(period, NOON)

    assert (window.since, window.until, len(window.starts)) == (since, until, count)
    assert window.starts[-1] <= NOON < window.until


def test_a_moment_on_the_edge_begins_a_stretch() -> None:
    edge = datetime(2026, 3, 10, 12, tzinfo=UTC)

    assert TimeWindow.ending_at(Period.DAY, edge).starts[-1] == edge
    assert TimeWindow.ending_at(Period.DAY, edge - timedelta(milliseconds=1)).until == edge


def test_nothing_came_to_nothing_and_its_rate_and_cost_are_unknown() -> None:
    nothing = sum_aggregates([])

    assert (nothing.runs, nothing.success_rate, nothing.exact_cost, nothing.total_tokens) == (
        0,
        None,
        None,
        0,
    )


def test_a_stop_is_nobodys_failure() -> None:
    assert RunAggregate(completed=1, stopped=9, active=5).success_rate == 1.0
    assert RunAggregate(completed=1, failed=1, crashed=1).success_rate == 0.3333
    assert RunAggregate(stopped=3).success_rate is None


def test_one_unknown_makes_the_sum_unknown_and_leaves_a_lower_bound() -> None:
    known = RunAggregate(completed=1, token_sum=10, cost_sum=Decimal("0.50"), currencies=DOLLARS)
    unknown = RunAggregate(completed=1, runs_with_unknown_tokens=1, runs_with_unknown_cost=1)

    both = sum_aggregates([known, unknown])

    assert (both.exact_cost, both.total_tokens) == (None, None)
    assert both.known_cost == Cost(amount=Decimal("0.5"), currency="USD")


def test_currencies_are_never_added_up() -> None:
    dollar = RunAggregate(completed=1, cost_sum=Decimal(1), currencies=DOLLARS)
    euro = RunAggregate(completed=1, cost_sum=Decimal(1), currencies=EUROS)

    both = sum_aggregates([dollar, euro])

    assert (both.exact_cost, both.known_cost, both.runs) == (None, None, 2)
