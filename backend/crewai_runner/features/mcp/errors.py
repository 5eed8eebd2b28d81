"""Errors of MCP servers and their tools."""

from http import HTTPStatus

from crewai_runner.core.errors import AppError, BadRequest, Conflict, NotFound, Unprocessable


class McpServerNotFound(NotFound):
    slug = "mcp-server-not-found"
    title = "MCP server not found"

    def __init__(self, server_id: str) -> None:
        super().__init__(f"MCP server {server_id!r} does not exist. It may have been deleted.")


class McpServerNameTaken(Conflict):
    slug = "mcp-server-name-taken"
    title = "MCP server name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"An MCP server named {name!r} already exists. Choose another name.")


class TooManyMcpServers(Conflict):
    slug = "too-many-mcp-servers"
    title = "Too many MCP servers"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The workspace has {limit} MCP servers already. Delete some first.")


class McpServerInvalid(Unprocessable):
    """Carries `errors`, each a `{pointer, detail}`."""

    slug = "mcp-server-invalid"
    title = "MCP server is not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}", errors=[{"pointer": pointer, "detail": detail}])


class CredentialNeededAgain(McpServerInvalid):
    slug = "credential-needed-again"
    title = "Enter the credential again"

    def __init__(self) -> None:
        super().__init__(
            "/credential",
            "The address of the server has changed. Enter the credential again, or null to remove it: "
            "a stored credential is never sent to a new address.",
        )


class McpClientDocumentMissing(NotFound):
    slug = "mcp-client-document-missing"
    title = "There is no client metadata document"

    def __init__(self) -> None:
        super().__init__("This server has no https address. Set PUBLIC_URL to the one of the dashboard.")


class McpToolNotFound(NotFound):
    slug = "mcp-tool-not-found"
    title = "MCP tool not found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no MCP tool {name!r}. Connect its server to read the list of its tools.")


class McpToolChanged(Conflict):
    slug = "mcp-tool-changed"
    title = "The tool has changed"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The server describes {name!r} differently from what you have seen. "
            "Reload the list, compare and decide again."
        )


class McpToolNotUsable(Conflict):
    slug = "mcp-tool-not-usable"
    title = "The tool cannot be used"


class McpImportInvalid(Unprocessable):
    slug = "mcp-import-invalid"
    title = "The configuration cannot be imported"


class McpAuthorizationFailed(AppError):
    """The MCP server or its authorization server does not do what is needed; the detail has no secret."""

    status = HTTPStatus.BAD_GATEWAY
    slug = "mcp-authorization-failed"
    title = "Authorization failed"


class McpAuthorizationInvalid(BadRequest):
    slug = "mcp-authorization-invalid"
    title = "The authorization is not valid"

    def __init__(self) -> None:
        super().__init__(
            "This authorization was not begun here, is more than ten minutes old, or was used. Begin again."
        )


class McpAuthorizationNotUsed(Conflict):
    slug = "mcp-authorization-not-used"
    title = "The server does not use OAuth"


class PublicUrlMissing(Conflict):
    slug = "public-url-missing"
    title = "The address of this server is not known"

    def __init__(self) -> None:
        super().__init__(
            "Authorization servers send browsers back to the dashboard. Set PUBLIC_URL to its address."
        )
