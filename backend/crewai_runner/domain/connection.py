"""Connections: the services and hosts that tools may use, with what each kind needs."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, StringConstraints

from crewai_runner.core.api_model import ApiModel


class ConnectionKind(StrEnum):
    SERPER = "serper"
    TAVILY = "tavily"
    BRAVE = "brave"
    EXA = "exa"
    SEARXNG = "searxng"
    HTTP = "http"
    SLACK = "slack"
    TEAMS = "teams"
    DISCORD = "discord"
    POSTGRESQL = "postgresql"
    SMTP = "smtp"


class ConnectionPurpose(StrEnum):
    """What a connection is for; each purpose has one tool."""

    SEARCH = "search"
    HTTP = "http"
    MESSAGES = "messages"
    DATABASE = "database"
    EMAIL = "email"


class HttpAuth(StrEnum):
    """How requests over a connection of kind `http` are authenticated."""

    NONE = "none"
    BEARER = "bearer"
    HEADER = "header"
    BASIC = "basic"
    OAUTH = "oauth"
    """OAuth client credentials: the secret is exchanged for tokens at `token_url`."""


class ConnectionTls(StrEnum):
    """How the connection to a database or mail server is encrypted."""

    VERIFY = "verify"
    """The server's certificate must be valid for its name."""
    ENCRYPT = "encrypt"
    """Any certificate is accepted: no one can read along, but the server could be another one."""
    OFF = "off"


class HttpMethod(StrEnum):
    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


Recipient = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]


class ConnectionOptions(ApiModel):
    """What connections of the kinds `http`, `postgresql` and `smtp` need besides address and secret."""

    auth: HttpAuth = Field(HttpAuth.NONE, description="How the secret is sent.")
    header: str | None = Field(
        None, pattern=r"^[A-Za-z0-9-]{1,100}$", description="For `header`: its name, such as X-API-Key."
    )
    username: str | None = Field(
        None,
        pattern=r"^[!-9;-~]{1,200}$",
        description="The user, without a colon: for `basic`, `oauth` (the client), databases and email.",
    )
    methods: list[HttpMethod] = Field(
        default_factory=lambda: [HttpMethod.GET],
        min_length=1,
        max_length=5,
        description="What the tool may do there.",
    )
    token_url: str | None = Field(None, max_length=2000, description="For `oauth`: where tokens are issued.")
    scope: str | None = Field(
        None, pattern=r"^[!-~]{1,200}( [!-~]{1,200}){0,20}$", description="For `oauth`, if one is needed."
    )
    tls: ConnectionTls = Field(
        ConnectionTls.VERIFY, description="How a database or mail server is connected to."
    )
    sender: str | None = Field(
        None, max_length=254, description="For `smtp`: the address that emails are from."
    )
    recipients: list[Recipient] = Field(
        default_factory=list,
        max_length=100,
        description="For `smtp`: who may receive emails, as addresses or as domains such as `@example.com`.",
    )


K = ConnectionKind

CONNECTION_TITLES: Mapping[ConnectionKind, str] = MappingProxyType(
    {
        K.SERPER: "Serper",
        K.TAVILY: "Tavily",
        K.BRAVE: "Brave Search",
        K.EXA: "Exa",
        K.SEARXNG: "SearXNG",
        K.HTTP: "HTTP host",
        K.SLACK: "Slack",
        K.TEAMS: "Microsoft Teams",
        K.DISCORD: "Discord",
        K.POSTGRESQL: "PostgreSQL",
        K.SMTP: "Mail server",
    }
)
DEFAULT_CONNECTION_URLS: Mapping[ConnectionKind, str] = MappingProxyType(
    {
        K.SERPER: "https://google.serper.dev",
        K.TAVILY: "https://api.tavily.com",
        K.BRAVE: "https://api.search.brave.com",
        K.EXA: "https://api.exa.ai",
    }
)
"""The address of a connection that has none."""
MESSAGE_KINDS = frozenset({K.SLACK, K.TEAMS, K.DISCORD})
"""Their secret is the URL of an incoming webhook; they have no other address."""
SECRET_REQUIRED_KINDS = frozenset({K.SERPER, K.TAVILY, K.BRAVE, K.EXA}) | MESSAGE_KINDS
SERVER_SCHEMES: Mapping[ConnectionKind, frozenset[str]] = MappingProxyType(
    {K.POSTGRESQL: frozenset({"postgresql"}), K.SMTP: frozenset({"smtp", "smtps"})}
)
"""The schemes of addresses of kinds that do not speak HTTP."""
URL_REQUIRED_KINDS = frozenset({K.SEARXNG, K.HTTP, K.POSTGRESQL, K.SMTP})
SEARCH_KINDS = frozenset({K.SERPER, K.TAVILY, K.BRAVE, K.EXA, K.SEARXNG})


_PURPOSES: Mapping[ConnectionKind, ConnectionPurpose] = MappingProxyType(
    {
        **dict.fromkeys(SEARCH_KINDS, ConnectionPurpose.SEARCH),
        **dict.fromkeys(MESSAGE_KINDS, ConnectionPurpose.MESSAGES),
        K.POSTGRESQL: ConnectionPurpose.DATABASE,
        K.SMTP: ConnectionPurpose.EMAIL,
    }
)


def get_purpose(kind: ConnectionKind) -> ConnectionPurpose:
    """Return what connections of a kind are for."""
    return _PURPOSES.get(kind, ConnectionPurpose.HTTP)
