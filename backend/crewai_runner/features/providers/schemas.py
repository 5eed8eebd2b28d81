"""API schemas of providers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, field_validator

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.core.secret_strength import find_weakness
from crewai_runner.core.text import Name, check_single_line
from crewai_runner.domain.provider import ProviderType

MAX_MODEL_NAMES = 1000


def _resolve_type_alias(value: Any) -> Any:
    return ProviderType.OPENAI_COMPATIBLE.value if value == "custom" else value


def _check_not_local(value: ProviderType) -> ProviderType:
    if value is ProviderType.LOCAL:
        raise ValueError("`local` is reserved for the built-in provider, which is created automatically")
    return value


def _check_key(value: SecretStr) -> SecretStr:
    # The key is sent in a header: invalid characters would fail later, with an error that quotes the key.
    key = value.get_secret_value().strip()
    if not key:
        raise ValueError("must not be empty; null means no key")
    if len(key) > 8000 or not all("\x21" <= character <= "\x7e" for character in key):
        raise ValueError("must be at most 8000 printable ASCII characters without spaces")
    weakness = find_weakness(key)
    if weakness is not None:
        raise ValueError(
            f"{weakness}. Keys are masked in everything that runs write, so a key must not occur in normal "
            "text. Send the key as the provider issued it, or null if it needs none."
        )
    return SecretStr(key)


RequestedType = Annotated[
    ProviderType,
    BeforeValidator(_resolve_type_alias),
    AfterValidator(_check_not_local),
    Field(description="`custom` is an alias of `openai_compatible`; `local` is reserved."),
]
ApiKey = Annotated[SecretStr, AfterValidator(_check_key)]
API_KEY_FIELD = Field(
    None,
    description="Write-only. Bedrock: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`.",
    json_schema_extra={"writeOnly": True},
)
BaseUrl = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
BASE_URL_DESCRIPTION = "http or https, without credentials or query. Default: the address of the service."
ModelNames = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(check_single_line)]],
    Field(max_length=MAX_MODEL_NAMES, description="Names of the provider's models to offer."),
]


class ProviderOptions(ApiModel):
    """Options that some provider types need."""

    api_version: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._-]{1,40}$", description="Azure: the API version, such as 2024-10-21."
    )
    region: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,40}$", description="Bedrock: the AWS region, such as eu-central-1."
    )


class ProviderCreate(ApiModel):
    name: Name
    type: RequestedType
    api_key: ApiKey | None = API_KEY_FIELD
    base_url: BaseUrl | None = Field(None, description=BASE_URL_DESCRIPTION)
    models: ModelNames = Field(default_factory=list)
    options: ProviderOptions = Field(default_factory=ProviderOptions)

    @field_validator("api_key", "base_url", mode="before")
    @classmethod
    def _treat_blank_as_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value


class ProviderTest(ProviderCreate):
    """A provider to test before it is saved; the name is optional."""

    name: Name = "new provider"


class ProviderUpdate(ApiModel):
    """Fields that are not sent are not changed."""

    # The defaults are never used: only `model_fields_set` counts.
    name: Name = Field(default_factory=str)
    type: RequestedType = Field(default_factory=lambda: ProviderType.OPENAI)
    api_key: ApiKey | None = Field(None, description="null removes the key; omit it to keep the key.")
    base_url: BaseUrl | None = Field(None, description="null resets it to the address of the service.")
    models: ModelNames = Field(default_factory=list)
    options: ProviderOptions = Field(default_factory=ProviderOptions)


class ProviderEnvelope(Envelope):
    provider: ProviderCreate


class ProviderTestEnvelope(Envelope):
    provider: ProviderTest


class ProviderUpdateEnvelope(Envelope):
    provider: ProviderUpdate


class ProviderRead(ApiModel):
    """A stored provider; its key is never returned."""

    id: str
    name: str
    type: ProviderType
    base_url: str | None = Field(description="null if the default address of the provider type is used.")
    has_api_key: bool
    api_key_hint: str | None = Field(description="The last four characters of a long key.")
    models: list[str]
    options: ProviderOptions
    created_at: datetime
    updated_at: datetime
    version: int


class ProviderAnswer(ApiModel):
    provider: ProviderRead


class ProviderList(ApiModel):
    providers: list[ProviderRead]
    next_cursor: str | None


class ConnectionStage(StrEnum):
    """The last stage of a connection test; with `ok` false, the one that failed."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    MODEL = "model"
    DONE = "done"


class ConnectionReport(ApiModel):
    ok: bool
    stage: ConnectionStage
    latency_ms: int = Field(description="Duration of the test.")
    message: str = Field(
        description="A readable result, with the error message of the provider if it sent one."
    )
    models: list[str] = Field(description="The model names that the provider lists.")


class LiveModels(ApiModel):
    models: list[str]


class ProviderRecord(NamedTuple):
    """The columns of a provider that connections need; the key is encrypted."""

    id: str
    workspace_id: str
    name: str
    type: str
    base_url: str | None
    sealed_api_key: str | None
    options: dict[str, Any]
