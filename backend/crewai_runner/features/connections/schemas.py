"""API schemas of connections."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import Field, SecretStr, StringConstraints, field_validator

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.core.text import Name
from crewai_runner.domain.connection import ConnectionKind, ConnectionOptions, ConnectionPurpose

Secret = Annotated[SecretStr, Field(min_length=1, max_length=8000)]
WRITE_ONLY_DESCRIPTION = (
    "Write-only: the key, token or password; for Slack, Teams and Discord the URL of the incoming webhook."
)
WRITE_ONLY: dict[str, Any] = {"writeOnly": True}
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
ADDRESS_DESCRIPTION = (
    "http or https, without credentials or query; by default the address of the service. "
    "SearXNG and HTTP hosts need one, databases `postgresql://host:5432/database`, mail servers "
    "`smtp://host:587` or `smtps://host:465`."
)


class ConnectionCreate(ApiModel):
    name: Name
    kind: ConnectionKind
    base_url: Address | None = Field(None, description=ADDRESS_DESCRIPTION)
    secret: Secret | None = Field(None, description=WRITE_ONLY_DESCRIPTION, json_schema_extra=WRITE_ONLY)
    options: ConnectionOptions = Field(default_factory=ConnectionOptions)
    is_default: bool = Field(
        False, description="Whether `web_search` asks this one. The first one of a purpose always is."
    )

    @field_validator("secret", "base_url", mode="before")
    @classmethod
    def _treat_blank_as_none(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value


class ConnectionUpdate(ApiModel):
    """Fields that are not sent are not changed. The kind cannot change."""

    # The defaults are never used: only `model_fields_set` counts.
    name: Name = Field(default_factory=str)
    base_url: Address | None = Field(None, description="null resets it to the address of the service.")
    secret: Secret | None = Field(
        None, description="null removes the secret; omit it to keep it.", json_schema_extra=WRITE_ONLY
    )
    options: ConnectionOptions = Field(default_factory=ConnectionOptions)
    is_default: bool = False


class ConnectionEnvelope(Envelope):
    connection: ConnectionCreate


class ConnectionUpdateEnvelope(Envelope):
    connection: ConnectionUpdate


class ConnectionRead(ApiModel):
    """A stored connection; its secret is never returned."""

    id: str
    name: str
    kind: ConnectionKind
    purpose: ConnectionPurpose
    base_url: str | None = Field(description="null if the address of the service is used.")
    has_secret: bool
    secret_hint: str | None = Field(description="The last four characters of a long secret.")
    options: ConnectionOptions
    is_default: bool
    created_at: datetime
    updated_at: datetime
    version: int


class ConnectionAnswer(ApiModel):
    connection: ConnectionRead


class ConnectionList(ApiModel):
    connections: list[ConnectionRead]
    next_cursor: str | None


class ConnectionTestStage(StrEnum):
    """The last stage of a test; with `ok` false, the one that failed."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    ANSWER = "answer"
    DONE = "done"


class ConnectionTestReport(ApiModel):
    ok: bool
    stage: ConnectionTestStage
    latency_ms: int = Field(description="Duration of the test.")
    message: str = Field(
        description="A readable result, with the error message of the service if it sent one."
    )


class ConnectionRecord(NamedTuple):
    """The columns of a connection that calls need; the secret is encrypted."""

    id: str
    workspace_id: str
    name: str
    kind: str
    purpose: str
    base_url: str | None
    sealed_secret: str | None
    options: dict[str, Any]
    is_default: bool
