"""Token usage and cost of model calls. An unknown value is None, never 0.

A sum counts the known values. The calls that it does not know everything about are counted next to it, so
that one silent provider neither hides what the others reported nor passes for free.
"""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field

from crewai_runner.core.api_model import ApiModel

MAX_TOKENS_PER_CALL = 2**40
MAX_TOKENS = 2**62
"""Of a run, a task or an agent."""
MAX_AMOUNT = Decimal(9999999999)


class Pricing(ApiModel):
    """The price of a model per million tokens, as decimal strings."""

    input_per_million: Decimal = Field(ge=0)
    output_per_million: Decimal = Field(ge=0)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217.")


def read_token_count(value: object, limit: int = MAX_TOKENS_PER_CALL) -> int | None:
    """Return a number of tokens from outside; None unless it is a whole number from 0 to `limit`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= limit:
        return None
    return int(value) if int(value) == value else None


def _read_total(value: object) -> int | None:
    return read_token_count(value, MAX_TOKENS)


def _limit_amount(amount: Decimal) -> Decimal:
    return max(Decimal(0), min(amount, MAX_AMOUNT))


TokenCount = Annotated[int | None, BeforeValidator(_read_total)]
"""Tokens; None if unknown or impossible."""
Amount = Annotated[Decimal, AfterValidator(_limit_amount)]


class Cost(ApiModel):
    """An amount of money; the amount is a decimal string. It is limited to what the database can store."""

    amount: Amount
    currency: str


class Usage(ApiModel):
    """Tokens, calls and cost of a model call, a task, an agent or a run.

    A sum over calls holds the known values; it is a lower bound while `callsWithoutUsage` (tokens) or
    `callsWithoutCost` (cost) is above 0. A value is null when no call reported it.
    """

    prompt_tokens: TokenCount = 0
    completion_tokens: TokenCount = 0
    cached_tokens: TokenCount = 0
    total_tokens: TokenCount = 0
    llm_calls: int = 0
    tool_calls: int = 0
    cost: Cost | None = None
    calls_without_usage: int = Field(0, description="Model calls whose tokens are unknown.")
    calls_without_cost: int = Field(
        0, description="Model calls whose cost is unknown, or in another currency than `cost`."
    )

    @classmethod
    def of_call(
        cls,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        cached_tokens: int | None = None,
        total_tokens: int | None = None,
        cost: Cost | None = None,
    ) -> Self:
        """Return the usage of one model call; what the provider did not report is None."""
        return cls(
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            cached_tokens=cached_tokens,
            total_tokens=total_tokens,
            llm_calls=1,
            cost=cost,
            calls_without_usage=int(total_tokens is None),
            calls_without_cost=int(cost is None and total_tokens != 0),
        )

    def plus(self, other: Self) -> "Usage":
        """Return the sum of the known values; a value is unknown if no operand knows it.

        Costs in two currencies have no sum: the cost of this usage stays, the other one counts as unknown.
        """
        is_foreign = self.cost and other.cost and self.cost.currency != other.cost.currency
        without_cost = other.llm_calls if is_foreign else other.calls_without_cost
        return Usage(
            prompt_tokens=_add(self.prompt_tokens, other.prompt_tokens),
            completion_tokens=_add(self.completion_tokens, other.completion_tokens),
            cached_tokens=_add(self.cached_tokens, other.cached_tokens),
            total_tokens=_add(self.total_tokens, other.total_tokens),
            llm_calls=self.llm_calls + other.llm_calls,
            tool_calls=self.tool_calls + other.tool_calls,
            cost=self._add_cost(other),
            calls_without_usage=self.calls_without_usage + other.calls_without_usage,
            calls_without_cost=self.calls_without_cost + without_cost,
        )

    def _add_cost(self, other: "Usage") -> Cost | None:
        if self.cost is None or other.cost is None:
            return self.cost or other.cost
        if self.cost.currency != other.cost.currency:
            return self.cost
        return Cost(amount=self.cost.amount + other.cost.amount, currency=self.cost.currency)


def _add(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one or other or None  # a zero before any report is not knowledge
    return one + other


def normalize_amount(amount: Decimal) -> Decimal:
    """Remove trailing zeros without using an exponent: `10`, not `1E+1`."""
    normalized = amount.normalize()
    return normalized if int(normalized.as_tuple().exponent) <= 0 else normalized.quantize(Decimal(1))


def calculate_cost(
    prompt_tokens: int | None, completion_tokens: int | None, pricing: Pricing | None
) -> Cost | None:
    """Return the cost of one call, or None if the price or the tokens are unknown."""
    if pricing is None or prompt_tokens is None or completion_tokens is None:
        return None
    amount = pricing.input_per_million * prompt_tokens + pricing.output_per_million * completion_tokens
    return Cost(amount=normalize_amount(amount / 1_000_000), currency=pricing.currency)
