from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crewai_runner.domain.workspace_quota import (
    NO_LIMITS,
    QuotaLimits,
    Spending,
    SpendLimit,
    day_of,
    list_above,
    merge_limits,
    month_of,
)

DOLLARS = SpendLimit(amount=Decimal(10))
EUROS = SpendLimit(amount=Decimal(1), currency="EUR")
LAST_MOMENT = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


class TestMergeLimits:
    def test_the_lower_of_each_two_applies(self) -> None:
        upper = QuotaLimits(runs_at_once=5, kept_days=30, spend_per_month=DOLLARS)
        own = QuotaLimits(
            runs_at_once=9, runs_per_day=3, kept_days=7, spend_per_month=SpendLimit(amount=Decimal(4))
        )

        assert merge_limits(upper, own) == QuotaLimits(
            runs_at_once=5, runs_per_day=3, kept_days=7, spend_per_month=SpendLimit(amount=Decimal(4))
        )

    @pytest.mark.parametrize(
        ("upper", "own", "merged"),
        [(None, EUROS, EUROS), (DOLLARS, None, DOLLARS), (DOLLARS, EUROS, DOLLARS), (None, None, None)],
    )
    def test_money(self, upper: SpendLimit | None, own: SpendLimit | None, merged: SpendLimit | None) -> None:
        limits = merge_limits(QuotaLimits(spend_per_month=upper), QuotaLimits(spend_per_month=own))

        assert limits.spend_per_month == merged

    def test_what_is_above_the_upper_limits(self) -> None:
        upper = QuotaLimits(runs_at_once=5, spend_per_month=DOLLARS)

        assert list_above(upper, QuotaLimits(runs_at_once=5, runs_per_day=9)) == []
        assert list_above(upper, QuotaLimits(runs_at_once=6, spend_per_month=EUROS)) == [
            "runs_at_once",
            "spend_per_month",
        ]
        assert list_above(NO_LIMITS, QuotaLimits(stored_mb=10**6)) == []


class TestPeriods:
    def test_day_and_month_end_at_midnight(self) -> None:
        day, month = day_of(LAST_MOMENT), month_of(LAST_MOMENT)

        assert (day.name, month.name) == ("2026-12-31", "2026-12")
        assert day.end == month.end == datetime(2027, 1, 1, tzinfo=UTC)
        assert month.start == datetime(2026, 12, 1, tzinfo=UTC)


class TestSpending:
    def test_the_whole_limit_may_be_spent_and_no_more(self) -> None:
        month = month_of(LAST_MOMENT)

        failure = Spending(DOLLARS, Decimal(10), month).find_failure()

        assert Spending(DOLLARS, Decimal("9.99"), month).find_failure() is None
        assert failure is not None
        assert failure.message == "The workspace has spent its limit of 10 USD for 2026-12."
        assert "2027-01-01" in (failure.hint or "")
