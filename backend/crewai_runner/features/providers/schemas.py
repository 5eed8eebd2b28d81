"""API shapes of providers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, field_validator

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.core.text import Name, check_single_line
from crewai_runner.domain.provider import ProviderType

MOST_NAMES = 1000


def _type_name(value: Any) -> Any:
    return ProviderType.OPENAI_COMPATIBLE.value if value == "custom" else value


def _not_local(value: ProviderType) -> ProviderType:
    if value is ProviderType.LOCAL:
        raise ValueError("`local` is the server's built-in provider; it is there by itself when installed")
    return value


def _key(value: SecretStr) -> SecretStr:
    # A key goes into a header: what no header can carry would fail later, in words that quote the key.
    key = value.get_secret_value().strip()
    if not key:
        raise ValueError("must not be empty; null means no key")
    if len(key) > 8000 or not all("\x21" <= character <= "\x7e" for character in key):
        raise ValueError("must be at most 8000 printable ASCII characters without spaces")
    return SecretStr(key)


GivenType = Annotated[
    ProviderType,
    BeforeValidator(_type_name),
    AfterValidator(_not_local),
    Field(description="`custom` is accepted for `openai_compatible`; `local` is the server's own."),
]
ApiKey = Annotated[SecretStr, AfterValidator(_key)]
KeyField = Field(
    None,
    description="Write-only. Bedrock: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`.",
    json_schema_extra={"writeOnly": True},
)
BaseUrl = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
BASE_URL_HELP = "http or https, without credentials or query. Left out: the service's own address."
ModelNames = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(check_single_line)]],
    Field(max_length=MOST_NAMES, description="The provider's own names of models worth offering."),
]


class ProviderOptions(ApiModel):
    """What some types need besides an address and a key."""

    api_version: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._-]{1,40}$", description="Azure: the API version, such as 2024-10-21."
    )
    region: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,40}$", description="Bedrock: the AWS region, such as eu-central-1."
    )


class ProviderCreate(ApiModel):
    name: Name
    type: GivenType
    api_key: ApiKey | None = KeyField
    base_url: BaseUrl | None = Field(None, description=BASE_URL_HELP)
    models: ModelNames = Field(default_factory=list)
    options: ProviderOptions = Field(default_factory=ProviderOptions)

    @field_validator("api_key", "base_url", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value


class ProviderTest(ProviderCreate):
    """A provider to try out before it is saved; the name may be left out."""

    name: Name = "new provider"


class ProviderUpdate(ApiModel):
    """What is left out stays as it is."""

    # The defaults are never looked at: only what was sent counts.
    name: Name = Field(default_factory=str)
    type: GivenType = Field(default_factory=lambda: ProviderType.OPENAI)
    api_key: ApiKey | None = Field(None, description="null removes the key; leave it out to keep it.")
    base_url: BaseUrl | None = Field(None, description="null goes back to the service's own address.")
    models: ModelNames = Field(default_factory=list)
    options: ProviderOptions = Field(default_factory=ProviderOptions)


class ProviderEnvelope(Envelope):
    provider: ProviderCreate


class ProviderTestEnvelope(Envelope):
    provider: ProviderTest


class ProviderUpdateEnvelope(Envelope):
    provider: ProviderUpdate


class ProviderRead(ApiModel):
    """A provider as stored; its key is never given back."""

    id: str
    name: str
    type: ProviderType
    base_url: str | None = Field(description="null: the service's own address.")
    has_api_key: bool
    api_key_hint: str | None = Field(description="The key's last four characters, if it is a long one.")
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


class Stage(StrEnum):
    """How far a connection test went; with `ok` false, where it failed."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    MODEL = "model"
    DONE = "done"


class ConnectionReport(ApiModel):
    ok: bool
    stage: Stage
    latency_ms: int = Field(description="Of the whole test.")
    message: str = Field(description="For people; the provider's own words where it said something.")
    models: list[str] = Field(description="The provider's own names of its models, as it lists them.")


class LiveModels(ApiModel):
    models: list[str]
