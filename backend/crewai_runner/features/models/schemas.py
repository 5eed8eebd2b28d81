"""API shapes of models."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, StringConstraints

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.core.text import Name, check_single_line, check_storable
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.usage import Pricing

HIGHEST_PRICE = 1_000_000
FINEST_PRICE = 10
"""Decimal places."""


class ModelCapabilities(ApiModel):
    """What a model can do; null: not known."""

    tools: bool | None = None
    vision: bool | None = None
    json_output: bool | None = Field(None, alias="json")
    context_window: int | None = Field(None, ge=1, le=100_000_000, description="Tokens.")


def _storable_settings(settings: ModelSettings) -> ModelSettings:
    check_storable(settings.model_dump(mode="python"))
    return settings


def _plain_prices(pricing: Pricing) -> Pricing:
    prices = (pricing.input_per_million, pricing.output_per_million)
    if any(price > HIGHEST_PRICE for price in prices):
        raise ValueError(f"a price must be at most {HIGHEST_PRICE} per million tokens")
    if any(_places(price) > FINEST_PRICE for price in prices):
        raise ValueError(f"a price must have at most {FINEST_PRICE} decimal places")
    plain = [Decimal(format(price, "f")) for price in prices]
    return pricing.model_copy(update={"input_per_million": plain[0], "output_per_million": plain[1]})


def _places(price: Decimal) -> int:
    exponent = price.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


Settings = Annotated[ModelSettings, AfterValidator(_storable_settings)]
Prices = Annotated[Pricing, AfterValidator(_plain_prices)]
EndpointName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(check_single_line),
]


class ModelCreate(ApiModel):
    name: Name = Field(description="What workflows call it; unique in the workspace.")
    type: ModelKind = ModelKind.LLM
    provider_id: str = Field(max_length=64)
    endpoint: EndpointName | None = Field(
        None, description="The provider's own name of the model; left out: `name`."
    )
    default: bool = Field(False, description="The first model of a type is its default in any case.")
    settings: Settings = Field(default_factory=ModelSettings)
    capabilities: ModelCapabilities = Field(default_factory=ModelCapabilities)
    pricing: Prices | None = Field(None, description="null: costs are not known.")


class ModelUpdate(ApiModel):
    """What is left out stays as it is; the type cannot be changed."""

    # The defaults are never looked at: only what was sent counts.
    name: Name = Field(default_factory=str)
    provider_id: str = Field(default_factory=str, max_length=64)
    endpoint: EndpointName | None = Field(None, description="null: the same as `name`.")
    default: bool = Field(default_factory=bool)
    settings: Settings = Field(default_factory=ModelSettings)
    capabilities: ModelCapabilities = Field(default_factory=ModelCapabilities)
    pricing: Prices | None = None


class ModelEnvelope(Envelope):
    model: ModelCreate


class ModelUpdateEnvelope(Envelope):
    model: ModelUpdate


class ModelRead(ApiModel):
    """A model as registered, with a word on where it is reached."""

    id: str
    name: str
    type: ModelKind
    provider_id: str
    provider_name: str
    provider_type: ProviderType
    endpoint: str
    default: bool
    settings: ModelSettings
    capabilities: ModelCapabilities
    pricing: Pricing | None
    description: str | None = Field(description="Of the built-in model: what to expect of it.")
    created_at: datetime
    updated_at: datetime
    version: int


class ModelAnswer(ApiModel):
    model: ModelRead


class ModelList(ApiModel):
    models: list[ModelRead]
    next_cursor: str | None


class ModelProvider(ApiModel):
    """The provider that serves a model."""

    id: str | None = Field(description="null: given with the run only.")
    name: str
    type: ProviderType


class ModelNames(NamedTuple):
    """Everything a workflow may call a registered model, `provider/endpoint` included."""

    llms: frozenset[str]
    embedders: frozenset[str]
