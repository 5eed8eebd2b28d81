"""Token usage and cost of model calls. An unknown value is None, never 0."""

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
    """Tokens, calls and cost of a model call, a task, an agent or a run."""

    prompt_tokens: TokenCount = 0
    completion_tokens: TokenCount = 0
    cached_tokens: TokenCount = 0
    total_tokens: TokenCount = 0
    llm_calls: int = 0
    tool_calls: int = 0
    cost: Cost | None = None

    def plus(self, other: Self) -> "Usage":
        """Return the sum; a value that is unknown in either operand is unknown in the sum."""
        return Usage(
            prompt_tokens=_add(self.prompt_tokens, other.prompt_tokens),
            completion_tokens=_add(self.completion_tokens, other.completion_tokens),
            cached_tokens=_add(self.cached_tokens, other.cached_tokens),
            total_tokens=_add(self.total_tokens, other.total_tokens),
            llm_calls=self.llm_calls + other.llm_calls,
            tool_calls=self.tool_calls + other.tool_calls,
            cost=self._add_cost(other),
        )

    def _add_cost(self, other: "Usage") -> Cost | None:
        # Without tokens there is no cost: a failed call leaves the sum unchanged.
        if self.total_tokens == 0:
            return other.cost
        if other.total_tokens == 0:
            return self.cost
        if not (self.cost and other.cost) or self.cost.currency != other.cost.currency:
            return None
        return Cost(amount=self.cost.amount + other.cost.amount, currency=self.cost.currency)


def _add(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


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
