"""What a workspace may use: runs, money and storage, and for how long it keeps its runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from pydantic import Field, field_serializer

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.network_access import NetworkAccess, narrower_access
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.usage import normalize_amount

SPENDING_EXCEEDED = "workspace-spending-exceeded"
_Number = TypeVar("_Number", int, float)


class SpendLimit(ApiModel):
    """An amount of money; the amount is a decimal string."""

    amount: Decimal = Field(gt=0, le=Decimal(10**9), decimal_places=6)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217, as in the models' prices.")

    @field_serializer("amount", when_used="json")
    def _without_exponent(self, value: Decimal) -> str:
        return f"{normalize_amount(value):f}"

    def __str__(self) -> str:
        return f"{normalize_amount(self.amount):,f} {self.currency}"


class QuotaLimits(ApiModel):
    """Limits of a workspace; null: no limit. Days and months are those of UTC."""

    runs_at_once: int | None = Field(None, ge=1, le=10_000_000, description="Runs that have not ended.")
    runs_per_day: int | None = Field(None, ge=1, le=10_000_000, description="Runs that are started in a day.")
    spend_per_month: SpendLimit | None = Field(
        None, description="What the model calls of its runs cost in a month, where their price is known."
    )
    stored_mb: float | None = Field(
        None, gt=0, le=1_073_741_824, description="What its runs and projects store."
    )
    kept_days: int | None = Field(
        None, ge=1, le=36_500, description="Days after which finished runs are deleted."
    )

    network: NetworkAccess | None = Field(
        None,
        description="What tools of runs may contact: only `listed` hosts, or `none` but those of models. "
        "Null or `any`: as each workflow says.",
    )

    def has_limit(self) -> bool:
        return any(value is not None for _, value in self)


NO_LIMITS = QuotaLimits()


def merge_limits(upper: QuotaLimits, own: QuotaLimits) -> QuotaLimits:
    """Return the lower of each two limits.

    Two amounts in different currencies cannot be compared: the upper one applies.
    """
    money = own.spend_per_month if upper.spend_per_month is None else upper.spend_per_month
    if (
        own.spend_per_month is not None
        and money is not None
        and own.spend_per_month.currency == money.currency
    ):
        money = min(money, own.spend_per_month, key=lambda limit: limit.amount)
    return QuotaLimits(
        runs_at_once=_lower(upper.runs_at_once, own.runs_at_once),
        runs_per_day=_lower(upper.runs_per_day, own.runs_per_day),
        spend_per_month=money,
        stored_mb=_lower(upper.stored_mb, own.stored_mb),
        kept_days=_lower(upper.kept_days, own.kept_days),
        network=narrower_access(upper.network, own.network),
    )


def list_above(upper: QuotaLimits, own: QuotaLimits) -> list[str]:
    """Return the names of the own limits that are above the upper ones, or not comparable with them."""
    merged = merge_limits(upper, own)
    return [name for name, value in own if value is not None and getattr(merged, name) != value]


def _lower(one: _Number | None, other: _Number | None) -> _Number | None:
    return min((value for value in (one, other) if value is not None), default=None)


@dataclass(frozen=True, slots=True)
class Period:
    """A day or a month of UTC: its name, its start and the start of the next one."""

    name: str
    start: datetime
    end: datetime


def day_of(at: datetime) -> Period:
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(f"{start:%Y-%m-%d}", start, start + timedelta(days=1))


def month_of(at: datetime) -> Period:
    start = day_of(at).start.replace(day=1)
    return Period(f"{start:%Y-%m}", start, (start + timedelta(days=32)).replace(day=1))


@dataclass(frozen=True, slots=True)
class Spending:
    """What a workspace with a limit has spent in a month."""

    limit: SpendLimit
    amount: Decimal
    month: Period

    @property
    def is_used_up(self) -> bool:
        return self.amount >= self.limit.amount

    def find_failure(self) -> RunFailure | None:
        """Return the failure of a run that would call a model; None while something is left."""
        if not self.is_used_up:
            return None
        return RunFailure(
            code=SPENDING_EXCEEDED,
            message=f"The workspace has spent its limit of {self.limit} for {self.month.name}.",
            hint=(
                f"Resume the run from {self.month.end:%Y-%m-%d} on (UTC), or when an owner or the "
                "administrator of the server has raised the limit."
            ),
        )
