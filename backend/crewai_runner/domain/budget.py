"""What a run may spend, checked before each model call."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import Field, field_serializer

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.usage import Usage


class Budget(ApiModel):
    """Limits of one run; what is not set is not limited."""

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
    """Which limit of a budget was reached."""

    COST = "maxCost"
    TOKENS = "maxTokens"
    LLM_CALLS = "maxLlmCalls"
    SECONDS = "maxSeconds"


def merge_budgets(budgets: Iterable[Budget | None]) -> Budget:
    """For each limit, the smallest that any of the budgets sets."""
    given = [budget for budget in budgets if budget is not None]

    def least(read: Callable[[Budget], Any]) -> Any:
        return min((value for budget in given if (value := read(budget)) is not None), default=None)

    return Budget(
        max_cost=least(lambda b: b.max_cost),
        max_tokens=least(lambda b: b.max_tokens),
        max_llm_calls=least(lambda b: b.max_llm_calls),
        max_seconds=least(lambda b: b.max_seconds),
    )


def find_reached_limit(budget: Budget, usage: Usage, seconds: float) -> BudgetLimit | None:
    """The first limit that leaves no room for one more model call, if any.

    A cost or token figure that is unknown cannot be held to a limit and is passed over.
    """
    spent: tuple[tuple[BudgetLimit, Any, Any], ...] = (
        (BudgetLimit.COST, usage.cost.amount if usage.cost else None, budget.max_cost),
        (BudgetLimit.TOKENS, usage.total_tokens, budget.max_tokens),
        (BudgetLimit.LLM_CALLS, usage.llm_calls, budget.max_llm_calls),
        (BudgetLimit.SECONDS, seconds, budget.max_seconds),
    )
    for limit, used, allowed in spent:
        if used is not None and allowed is not None and used >= allowed:
            return limit
    return None
