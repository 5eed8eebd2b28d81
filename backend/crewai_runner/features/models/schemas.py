"""API schemas of models."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, StringConstraints

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.core.text import Name, check_single_line, check_storable
from crewai_runner.domain.model_settings import RegisteredModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.usage import Pricing

MAX_PRICE = 1_000_000
MAX_PRICE_DECIMALS = 10


class ModelCapabilities(ApiModel):
    """Capabilities of a model; null means unknown."""

    tools: bool | None = None
    vision: bool | None = None
    json_output: bool | None = Field(None, alias="json")
    context_window: int | None = Field(None, ge=1, le=100_000_000, description="Tokens.")


def _check_settings(settings: RegisteredModelSettings) -> RegisteredModelSettings:
    check_storable(settings.model_dump(mode="python"))
    return settings


def _check_prices(pricing: Pricing) -> Pricing:
    prices = (pricing.input_per_million, pricing.output_per_million)
    if any(price > MAX_PRICE for price in prices):
        raise ValueError(f"a price must be at most {MAX_PRICE} per million tokens")
    if any(_count_decimals(price) > MAX_PRICE_DECIMALS for price in prices):
        raise ValueError(f"a price must have at most {MAX_PRICE_DECIMALS} decimal places")
    # Without exponents, so that prices are serialized in decimal notation.
    input_price, output_price = (Decimal(format(price, "f")) for price in prices)
    return pricing.model_copy(update={"input_per_million": input_price, "output_per_million": output_price})


def _count_decimals(price: Decimal) -> int:
    exponent = price.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


Settings = Annotated[RegisteredModelSettings, AfterValidator(_check_settings)]
Prices = Annotated[Pricing, AfterValidator(_check_prices)]
ENDPOINT_DESCRIPTION = (
    "A path or URL, kept as sent and not used: calls go to the provider's base URL. "
    "A value that is neither is taken as `providerModel`, as in requests of earlier clients."
)
SingleLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(check_single_line),
]


class ModelCreate(ApiModel):
    name: Name = Field(description="The name that workflows use; unique in the workspace.")
    type: ModelKind = ModelKind.LLM
    provider_id: str = Field(max_length=64)
    provider_model: SingleLine | None = Field(
        None, description="The provider's name for the model, sent with each call; default: `name`."
    )
    endpoint: SingleLine | None = Field(None, description=ENDPOINT_DESCRIPTION)
    default: bool = Field(False, description="The first model of a type always becomes its default.")
    settings: Settings = Field(default_factory=RegisteredModelSettings)
    capabilities: ModelCapabilities = Field(default_factory=ModelCapabilities)
    pricing: Prices | None = Field(None, description="null if the prices are unknown.")


class ModelUpdate(ApiModel):
    """Fields that are not sent are not changed; the type cannot be changed."""

    # The defaults are never used: only `model_fields_set` counts.
    name: Name = Field(default_factory=str)
    provider_id: str = Field(default_factory=str, max_length=64)
    provider_model: SingleLine | None = Field(None, description="null: same as `name`.")
    endpoint: SingleLine | None = Field(None, description=ENDPOINT_DESCRIPTION)
    default: bool = Field(default_factory=bool)
    settings: Settings = Field(default_factory=RegisteredModelSettings)
    capabilities: ModelCapabilities = Field(default_factory=ModelCapabilities)
    pricing: Prices | None = None


class ModelEnvelope(Envelope):
    model: ModelCreate


class ModelUpdateEnvelope(Envelope):
    model: ModelUpdate


class ModelRead(ApiModel):
    """A registered model with its provider."""

    id: str
    name: str
    type: ModelKind
    provider_id: str
    provider_name: str
    provider_type: ProviderType
    provider_model: str = Field(description="The provider's name for the model, sent with each call.")
    endpoint: str | None = Field(description="The path or URL as it was sent; not used for calls.")
    default: bool
    settings: RegisteredModelSettings
    capabilities: ModelCapabilities
    pricing: Pricing | None
    description: str | None = Field(description="The limits of the built-in model; null for other models.")
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

    id: str | None = Field(description="null if the provider is part of the run request.")
    name: str
    type: ProviderType


class ModelNames(NamedTuple):
    """All names and aliases of registered models that workflows may use."""

    llms: frozenset[str]
    embedders: frozenset[str]


class ModelRecord(NamedTuple):
    """The columns of a registered model that calls need."""

    id: str
    name: str
    type: str
    provider_id: str
    provider_model: str
    settings: dict[str, Any]
    capabilities: dict[str, Any]
    pricing: dict[str, Any] | None
