"""What model calls used and cost. An unknown figure is None, never 0."""

from decimal import Decimal
from typing import Self

from pydantic import Field

from crewai_runner.core.api_model import ApiModel


class Pricing(ApiModel):
    """What a model costs, per million tokens, as decimal strings."""

    input_per_million: Decimal = Field(ge=0)
    output_per_million: Decimal = Field(ge=0)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217.")


class Cost(ApiModel):
    """An amount of money; the amount is a decimal string."""

    amount: Decimal
    currency: str


class Usage(ApiModel):
    """Tokens, calls and money of a call, a task, an agent or a run."""

    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    cached_tokens: int | None = 0
    total_tokens: int | None = 0
    llm_calls: int = 0
    tool_calls: int = 0
    cost: Cost | None = None

    def plus(self, other: Self) -> "Usage":
        """Both together; what is unknown in one is unknown in the sum."""
        return Usage(
            prompt_tokens=_sum(self.prompt_tokens, other.prompt_tokens),
            completion_tokens=_sum(self.completion_tokens, other.completion_tokens),
            cached_tokens=_sum(self.cached_tokens, other.cached_tokens),
            total_tokens=_sum(self.total_tokens, other.total_tokens),
            llm_calls=self.llm_calls + other.llm_calls,
            tool_calls=self.tool_calls + other.tool_calls,
            cost=self._cost_with(other),
        )

    def _cost_with(self, other: "Usage") -> Cost | None:
        # No tokens, no money: a call that failed leaves the sum as it is.
        if self.total_tokens == 0:
            return other.cost
        if other.total_tokens == 0:
            return self.cost
        if not (self.cost and other.cost) or self.cost.currency != other.cost.currency:
            return None
        return Cost(amount=self.cost.amount + other.cost.amount, currency=self.cost.currency)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def normalize_amount(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros and without an exponent: `10`, never `1E+1`."""
    short = amount.normalize()
    return short if int(short.as_tuple().exponent) <= 0 else short.quantize(Decimal(1))


def calculate_cost(
    prompt_tokens: int | None, completion_tokens: int | None, pricing: Pricing | None
) -> Cost | None:
    """The cost of one call, or None when the price or the tokens are unknown."""
    if pricing is None or prompt_tokens is None or completion_tokens is None:
        return None
    amount = pricing.input_per_million * prompt_tokens + pricing.output_per_million * completion_tokens
    return Cost(amount=normalize_amount(amount / 1_000_000), currency=pricing.currency)
