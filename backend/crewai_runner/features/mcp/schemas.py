"""API schemas of MCP servers and their tools."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import JsonObject, StorableText
from crewai_runner.domain.mcp_server import SLUG_PATTERN, McpAuth, McpEra, McpToolState
from crewai_runner.features.providers.schemas import ApiKey

MAX_TIMEOUT_SECONDS = 600
MAX_REVIEWS = 256
Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG_PATTERN),
    Field(description="Names the server's tools in workflows: `mcp:<name>/<tool>`."),
]
ServerUrl = Annotated[
    StorableText,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    Field(
        description="The address of its MCP endpoint: https or http, without credentials; or `stdio:NAME` "
        "for a command that the administrator has listed in `MCP_STDIO_COMMANDS`."
    ),
]
HeaderName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"),
    Field(description="With `auth: header`: the header that carries the credential, such as `X-API-Key`."),
]
OAuthClientId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,2000}$")]
CREDENTIAL_FIELD = Field(
    None,
    description="Write-only: the token or the value of the header.",
    json_schema_extra={"writeOnly": True},
)


class McpServerCreate(ApiModel):
    name: Slug
    url: ServerUrl
    auth: McpAuth = McpAuth.NONE
    header_name: HeaderName | None = None
    credential: ApiKey | None = CREDENTIAL_FIELD
    oauth_client_id: OAuthClientId | None = Field(
        None, description="With `auth: oauth`: your client at the authorization server, if it registers none."
    )
    oauth_client_secret: ApiKey | None = Field(
        None, description="Write-only: the secret of that client.", json_schema_extra={"writeOnly": True}
    )
    timeout_seconds: int = Field(60, ge=1, le=MAX_TIMEOUT_SECONDS, description="The deadline of one call.")
    is_enabled: bool = Field(default=True, description="Whether workflows may use its tools.")

    @field_validator("credential", "oauth_client_secret", mode="before")
    @classmethod
    def _treat_blank_as_none(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value


class McpServerUpdate(McpServerCreate):
    """Replaces everything except a credential that is not sent, which is kept."""


class McpStage(StrEnum):
    """The last stage of a connection; with `ok` false, the one that failed."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    INITIALIZE = "initialize"
    TOOLS = "tools"
    DONE = "done"


class McpConnectionReport(ApiModel):
    ok: bool
    stage: McpStage
    latency_ms: int = Field(description="Duration of the connection, in milliseconds.")
    message: str
    at: datetime


class McpServerRead(ApiModel):
    """A stored server; its credential is never returned."""

    id: str
    name: str
    url: str
    auth: McpAuth
    header_name: str | None
    has_credential: bool
    credential_hint: str | None = Field(description="The last four characters of a long credential.")
    oauth_client_id: str | None
    is_authorized: bool = Field(description="With `auth: oauth`: whether there is a token.")
    token_expires_at: datetime | None = Field(description="When that token expires; it is refreshed before.")
    timeout_seconds: int
    is_enabled: bool
    era: McpEra | None = Field(description="What it spoke when it was last connected.")
    last_connection: McpConnectionReport | None
    tool_counts: dict[McpToolState, int] = Field(description="The number of its tools by state.")
    created_at: datetime
    updated_at: datetime
    version: int


class McpServerAnswer(ApiModel):
    server: McpServerRead


class McpServerList(ApiModel):
    servers: list[McpServerRead]
    commands: list[str] = Field(description="Commands that can be a server, with the address `stdio:NAME`.")


class McpServerStatus(ApiModel):
    """What is known about a server without contacting it."""

    era: McpEra | None
    last_connection: McpConnectionReport | None
    tool_counts: dict[McpToolState, int]


class McpToolText(ApiModel):
    """How a server describes a tool, without characters that hide or reorder text."""

    title: str
    description: str
    input_schema: dict[str, Any]
    hints: dict[str, bool] = Field(description="What the server says of it: `readOnlyHint` and others.")


class McpToolRead(ApiModel):
    name: str
    reference: str = Field(description="The name in workflows: `mcp:<server>/<tool>`.")
    state: McpToolState
    problem: str | None = Field(description="Why it cannot be used, if its state is `unusable`.")
    digest: str | None = Field(description="Of the listed description; send it with a review.")
    listed: McpToolText | None = Field(description="null: the server no longer lists it.")
    approved: McpToolText | None = Field(description="What agents see; null before it is approved.")
    approved_by: str | None
    approved_at: datetime | None


class McpServerTools(ApiModel):
    tools: list[McpToolRead]


class McpUsableTool(ApiModel):
    """A tool that workflows may use now."""

    reference: str
    server_id: str
    server: str
    name: str
    title: str
    description: str
    input_schema: dict[str, Any]
    hints: dict[str, bool]


class McpUsableTools(ApiModel):
    tools: list[McpUsableTool]


class McpToolReview(ApiModel):
    name: Annotated[StorableText, StringConstraints(min_length=1, max_length=128)]
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the description that the person has seen.")
    use: bool = Field(description="true approves this description; false switches the tool off.")


class McpToolReviews(ApiModel):
    reviews: list[McpToolReview] = Field(min_length=1, max_length=MAX_REVIEWS)


class McpToolTest(ApiModel):
    tool: Annotated[StorableText, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The name in workflows: `mcp:<server>/<tool>`."
    )
    arguments: JsonObject = Field(default_factory=dict)


class McpToolTestReport(ApiModel):
    ok: bool
    output: str = Field(description="The result, or why there is none.")
    duration_ms: int


class McpResource(ApiModel):
    """A document or other data that a server offers."""

    uri: str
    name: str
    description: str
    mime_type: str | None
    size: int | None = Field(description="In bytes, as the server says.")


class McpPromptArgument(ApiModel):
    name: str
    description: str
    is_required: bool


class McpPrompt(ApiModel):
    """A template of a message that a server offers."""

    name: str
    title: str
    description: str
    arguments: list[McpPromptArgument]


class McpServerContents(ApiModel):
    problem: str | None = Field(None, description="Why the lists could not be read; null if they were.")
    resources: list[McpResource] = Field(default_factory=list)
    prompts: list[McpPrompt] = Field(default_factory=list)


class McpResourceRead(ApiModel):
    uri: StorableText = Field(min_length=1, max_length=2000, description="As the server lists it.")


class McpResourceContent(ApiModel):
    problem: str | None = Field(None, description="Why the resource could not be read; null if it was.")
    text: str = Field("", description="At most the first 20,000 characters.")
    mime_type: str | None = None
    is_truncated: bool = False
    is_binary: bool = Field(default=False, description="The server sent bytes, which are not shown.")


class McpConfigImport(ApiModel):
    config: JsonObject = Field(
        description="The configuration file of a client: `mcpServers` (Claude Desktop, Cline, Cursor) or "
        "`servers` (VS Code)."
    )


class McpImportEntry(ApiModel):
    """One server of an imported configuration."""

    name: str = Field(description="As the configuration names it.")
    server: McpServerRead | None = Field(description="The server that was added; null if it was not.")
    problem: str | None = Field(description="Why it was not added.")
    note: str | None = Field(description="What is left to do.")


class McpConfigImported(ApiModel):
    entries: list[McpImportEntry]


class McpClientConfig(ApiModel):
    """A configuration file for clients of MCP servers; credentials are placeholders."""

    mcp_servers: dict[str, dict[str, Any]]


class McpAuthorizationStart(ApiModel):
    url: str = Field(description="Where the browser continues: at the authorization server.")


class McpAuthorizationFinish(ApiModel):
    """What the authorization server added to the address of the dashboard."""

    state: StorableText = Field(min_length=1, max_length=500)
    code: StorableText = Field(min_length=1, max_length=8000)
    iss: StorableText | None = Field(None, max_length=2000)


class McpAuthorizationFinished(ApiModel):
    server_id: str
