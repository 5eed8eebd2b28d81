"""Spending limits of a run, checked before each model call."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import Field, field_serializer

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.usage import Usage


class Budget(ApiModel):
    """Limits of one run; an unset limit does not apply."""

    max_cost: Decimal | None = Field(
        None,
        gt=0,
        le=Decimal(10**12),
        description="Maximum cost, in the currency of the models' prices.",
    )
    max_tokens: int | None = Field(None, gt=0, le=2**53, description="Maximum input and output tokens.")
    max_llm_calls: int | None = Field(
        None, gt=0, le=2**31, title="Max model calls", description="Maximum model calls."
    )
    max_seconds: float | None = Field(
        None, gt=0, le=31_536_000, description="Maximum seconds of active time, without waiting."
    )

    @field_serializer("max_cost", when_used="json")
    def _without_exponent(self, value: Decimal | None) -> str | None:
        return None if value is None else f"{value:f}"


class BudgetLimit(StrEnum):
    """The limits of a budget."""

    COST = "maxCost"
    TOKENS = "maxTokens"
    LLM_CALLS = "maxLlmCalls"
    SECONDS = "maxSeconds"


def merge_budgets(budgets: Iterable[Budget | None]) -> Budget:
    """Combine budgets: each limit is the lowest one that any of them sets."""
    set_budgets = [budget for budget in budgets if budget is not None]

    def lowest(get: Callable[[Budget], Any]) -> Any:
        return min((value for budget in set_budgets if (value := get(budget)) is not None), default=None)

    return Budget(
        max_cost=lowest(lambda b: b.max_cost),
        max_tokens=lowest(lambda b: b.max_tokens),
        max_llm_calls=lowest(lambda b: b.max_llm_calls),
        max_seconds=lowest(lambda b: b.max_seconds),
    )


def find_reached_limit(budget: Budget, usage: Usage, seconds: float) -> BudgetLimit | None:
    """Return the first limit that usage has reached, if any; unknown cost or tokens are not checked."""
    limits: tuple[tuple[BudgetLimit, Any, Any], ...] = (
        (BudgetLimit.COST, usage.cost.amount if usage.cost else None, budget.max_cost),
        (BudgetLimit.TOKENS, usage.total_tokens, budget.max_tokens),
        (BudgetLimit.LLM_CALLS, usage.llm_calls, budget.max_llm_calls),
        (BudgetLimit.SECONDS, seconds, budget.max_seconds),
    )
    for limit, used, allowed in limits:
        if used is not None and allowed is not None and used >= allowed:
            return limit
    return None
