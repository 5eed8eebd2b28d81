"""The time window of run statistics, and how statistics are summed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from crewai_runner.domain.usage import Cost
from crewai_runner.features.insights.rules import Period, RunAggregate, TimeWindow, sum_aggregates

NOON = datetime(2026, 3, 10, 12, 34, 56, tzinfo=UTC)
DOLLARS, EUROS = frozenset({"USD"}), frozenset({"EUR"})


class TestTimeWindow:
    @pytest.mark.parametrize(
        ("period", "since", "until", "count"),
        [
            (Period.DAY, datetime(2026, 3, 9, 13, tzinfo=UTC), datetime(2026, 3, 10, 13, tzinfo=UTC), 24),
            (Period.WEEK, datetime(2026, 3, 3, 18, tzinfo=UTC), datetime(2026, 3, 10, 18, tzinfo=UTC), 28),
            (Period.MONTH, datetime(2026, 2, 9, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC), 30),
        ],
    )
    def test_last_bucket_contains_the_current_time(
        self, period: Period, since: datetime, until: datetime, count: int
    ) -> None:
        window = TimeWindow.ending_at(period, NOON)

        assert (window.since, window.until, len(window.starts)) == (since, until, count)
        assert window.starts[-1] <= NOON < window.until

    def test_a_time_on_a_boundary_starts_a_bucket(self) -> None:
        edge = datetime(2026, 3, 10, 12, tzinfo=UTC)

        assert TimeWindow.ending_at(Period.DAY, edge).starts[-1] == edge
        assert TimeWindow.ending_at(Period.DAY, edge - timedelta(milliseconds=1)).until == edge


class TestRunAggregate:
    def test_empty_sum_has_no_success_rate_and_no_cost(self) -> None:
        empty = sum_aggregates([])

        assert (empty.runs, empty.success_rate, empty.exact_cost, empty.total_tokens) == (
            0,
            None,
            None,
            0,
        )

    def test_stopped_and_active_runs_do_not_count_for_the_success_rate(self) -> None:
        assert RunAggregate(completed=1, stopped=9, active=5).success_rate == 1.0
        assert RunAggregate(completed=1, failed=1, crashed=1).success_rate == 0.3333
        assert RunAggregate(stopped=3).success_rate is None

    def test_one_unknown_cost_makes_the_exact_cost_unknown(self) -> None:
        known = RunAggregate(completed=1, token_sum=10, cost_sum=Decimal("0.50"), currencies=DOLLARS)
        unknown = RunAggregate(completed=1, runs_with_unknown_tokens=1, runs_with_unknown_cost=1)

        both = sum_aggregates([known, unknown])

        assert (both.exact_cost, both.total_tokens) == (None, None)
        assert both.known_cost == Cost(amount=Decimal("0.5"), currency="USD")

    def test_costs_in_different_currencies_are_not_summed(self) -> None:
        dollar = RunAggregate(completed=1, cost_sum=Decimal(1), currencies=DOLLARS)
        euro = RunAggregate(completed=1, cost_sum=Decimal(1), currencies=EUROS)

        both = sum_aggregates([dollar, euro])

        assert (both.exact_cost, both.known_cost, both.runs) == (None, None, 2)
