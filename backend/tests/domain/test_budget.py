"""Budgets: merging them, and finding the limit that usage has reached."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.domain.budget import Budget, BudgetLimit, find_reached_limit, merge_budgets
from crewai_runner.domain.usage import Cost, Usage

FIELDS = ("max_cost", "max_tokens", "max_llm_calls", "max_seconds")
budgets = st.builds(
    Budget,
    max_cost=st.none() | st.decimals("0.01", 100, places=2),
    max_tokens=st.none() | st.integers(1, 1000),
    max_llm_calls=st.none() | st.integers(1, 100),
    max_seconds=st.none() | st.floats(0.1, 1000),
)


class TestMergeBudgets:
    @given(st.lists(st.none() | budgets, max_size=4))
    def test_each_limit_is_the_lowest_one_set(self, given_budgets: list[Budget | None]) -> None:
        found = merge_budgets(given_budgets)

        for name in FIELDS:
            values = [
                getattr(b, name) for b in given_budgets if b is not None and getattr(b, name) is not None
            ]
            assert getattr(found, name) == min(values, default=None)


class TestFindReachedLimit:
    @pytest.mark.parametrize(
        ("budget", "usage", "seconds", "limit"),
        [
            (Budget(max_tokens=10), Usage(total_tokens=10), 0, BudgetLimit.TOKENS),
            (Budget(max_tokens=10), Usage(total_tokens=9), 0, None),
            (Budget(max_llm_calls=1), Usage(llm_calls=1), 0, BudgetLimit.LLM_CALLS),
            (Budget(max_llm_calls=2), Usage(llm_calls=1), 0, None),
            (Budget(max_seconds=1.5), Usage(), 1.5, BudgetLimit.SECONDS),
            (Budget(max_seconds=1.5), Usage(), 1.4, None),
            (
                Budget(max_cost=Decimal("0.1")),
                Usage(cost=Cost(amount="0.1", currency="USD")),
                0,
                BudgetLimit.COST,
            ),
            (Budget(max_cost=Decimal("0.1")), Usage(cost=Cost(amount="0.09", currency="USD")), 0, None),
            (Budget(max_cost=Decimal("0.1")), Usage(cost=None), 0, None),
            (Budget(max_tokens=1), Usage(total_tokens=None), 0, None),
            (Budget(), Usage(total_tokens=10**9, llm_calls=10**6), 10**9, None),
        ],
    )
    def test_limit_is_reached_when_usage_equals_it(
        self, budget: Budget, usage: Usage, seconds: float, limit: BudgetLimit | None
    ) -> None:
        assert find_reached_limit(budget, usage, seconds) is limit


class TestBudget:
    @pytest.mark.parametrize(
        "wrong", [{"max_tokens": 0}, {"max_cost": -1}, {"max_seconds": 0}, {"max_calls": 1}]
    )
    def test_rejects_invalid_and_unknown_limits(self, wrong: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="validation error"):
            Budget.model_validate(wrong)
