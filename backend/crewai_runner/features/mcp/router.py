"""API endpoints of MCP servers and their tools."""

from http import HTTPStatus

from fastapi import Response

from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.core.errors import BadRequest, StaleVersion
from crewai_runner.features.idempotency.deps import IdempotencyKey
from crewai_runner.features.idempotency.errors import IdempotencyKeyReused
from crewai_runner.features.mcp.deps import (
    ConfigExport,
    ConfigTransfer,
    Connector,
    ContentReader,
    Reader,
    Reviews,
    ReviewsToRead,
    Servers,
    ServersToRead,
    Tester,
    ToolTester,
    Writer,
)
from crewai_runner.features.mcp.errors import (
    CredentialNeededAgain,
    McpImportInvalid,
    McpServerInvalid,
    McpServerNameTaken,
    McpServerNotFound,
    McpToolChanged,
    McpToolNotFound,
    McpToolNotUsable,
    TooManyMcpServers,
)
from crewai_runner.features.mcp.schemas import (
    McpClientConfig,
    McpConfigImport,
    McpConfigImported,
    McpConnectionReport,
    McpResourceContent,
    McpResourceRead,
    McpServerAnswer,
    McpServerContents,
    McpServerCreate,
    McpServerList,
    McpServerRead,
    McpServerStatus,
    McpServerTools,
    McpServerUpdate,
    McpToolReviews,
    McpToolTest,
    McpToolTestReport,
    McpUsableTools,
)
from crewai_runner.http.deps import IfMatch, NoTimeout, set_etag
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems
from crewai_runner.http.unaudited import unaudited

router = PrefixedRouter(prefix="/mcp", tags=["mcp"])


@router.get("/servers")
async def list_mcp_servers(principal: Reader, servers: ServersToRead) -> McpServerList:
    """List the MCP servers of the workspace, by name. Credentials are never returned."""
    return await servers.list_all(principal)


@router.post(
    "/servers",
    status_code=HTTPStatus.CREATED,
    responses=problems(McpServerNameTaken, TooManyMcpServers, IdempotencyKeyReused, McpServerInvalid),
)
async def create_mcp_server(
    body: McpServerCreate,
    principal: Writer,
    servers: Servers,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> McpServerAnswer:
    """Add an MCP server that is reached over streamable HTTP, or a command that the administrator has listed.

    The credential is stored encrypted.

    The server is not contacted: connect it with `POST /mcp/servers/{id}/connect`, then review its tools.
    """
    answer = await servers.create(principal, body, idempotency_key)
    set_etag(response, answer.server.version)
    return answer


@router.get("/servers/{mcp_server_id}", responses=problems(McpServerNotFound))
async def get_mcp_server(mcp_server_id: str, principal: Reader, servers: ServersToRead) -> McpServerRead:
    """Get one MCP server. Its version is in the body: its status and tools change without a new version."""
    return await servers.get(principal, mcp_server_id)


@router.put(
    "/servers/{mcp_server_id}",
    responses=problems(
        BadRequest,
        McpServerNotFound,
        McpServerNameTaken,
        StaleVersion,
        McpServerInvalid,
        CredentialNeededAgain,
    ),
)
async def replace_mcp_server(
    mcp_server_id: str, body: McpServerUpdate, principal: Writer, servers: Servers, expected: IfMatch
) -> McpServerRead:
    """Replace an MCP server. A credential that is not sent is kept; null removes it.

    A stored credential is never sent to a new address, and with another address all tools must be approved
    again.
    """
    return await servers.replace(principal, mcp_server_id, body, expected)


@router.delete(
    "/servers/{mcp_server_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(BadRequest, McpServerNotFound, StaleVersion),
)
async def delete_mcp_server(
    mcp_server_id: str, principal: Writer, servers: Servers, expected: IfMatch
) -> None:
    """Delete an MCP server, its credential and the approvals of its tools."""
    await servers.delete(principal, mcp_server_id, expected)


@router.post(
    "/servers/{mcp_server_id}/connect",
    dependencies=[NoTimeout],
    responses=problems(McpServerNotFound, SecretUnreadable),
)
async def connect_mcp_server(
    mcp_server_id: str, principal: Writer, connector: Connector
) -> McpConnectionReport:
    """Connect to an MCP server and read its list of tools. Takes at most 25 seconds.

    Failures are reported with status 200; `stage` is the last stage: name resolution, connection, TLS,
    authentication, initialization, list of tools. Tools that the server describes differently since they
    were approved are not used until they are approved again.
    """
    return await connector.connect(principal, mcp_server_id)


@router.get("/servers/{mcp_server_id}/status", responses=problems(McpServerNotFound))
async def get_mcp_server_status(
    mcp_server_id: str, principal: Reader, servers: ServersToRead
) -> McpServerStatus:
    """Get what is known about an MCP server without contacting it."""
    return await servers.get_status(principal, mcp_server_id)


@router.get("/servers/{mcp_server_id}/tools", responses=problems(McpServerNotFound))
async def list_mcp_server_tools(
    mcp_server_id: str, principal: Reader, reviews: ReviewsToRead
) -> McpServerTools:
    """List the tools of an MCP server: what it lists, and what was approved of it."""
    return await reviews.list_of_server(principal, mcp_server_id)


@router.post(
    "/servers/{mcp_server_id}/tools/review",
    responses=problems(McpServerNotFound, McpToolNotFound, McpToolChanged, McpToolNotUsable),
)
async def review_mcp_tools(
    mcp_server_id: str, body: McpToolReviews, principal: Writer, reviews: Reviews
) -> McpServerTools:
    """Approve tools of an MCP server, or switch them off.

    An approval is for the description with the digest that is sent: the one that the person has seen.
    """
    return await reviews.review(principal, mcp_server_id, body)


@router.post(
    "/servers/{mcp_server_id}/contents",
    dependencies=[NoTimeout],
    responses=problems(McpServerNotFound, SecretUnreadable),
    **unaudited("It changes nothing here: it reads what a server lists."),
)
async def list_mcp_server_contents(
    mcp_server_id: str, principal: ToolTester, contents: ContentReader
) -> McpServerContents:
    """List the resources and prompts of an MCP server, which is contacted for it. Takes at most 25 seconds.

    They are for people: agents are offered tools only. Failures of the server are reported with status 200.
    """
    return await contents.list_all(principal, mcp_server_id)


@router.post(
    "/servers/{mcp_server_id}/contents/read",
    dependencies=[NoTimeout],
    responses=problems(McpServerNotFound, SecretUnreadable),
    **unaudited("It changes nothing here: it reads a resource of a server."),
)
async def read_mcp_resource(
    mcp_server_id: str, body: McpResourceRead, principal: ToolTester, contents: ContentReader
) -> McpResourceContent:
    """Read the beginning of a resource of an MCP server. Takes at most 25 seconds.

    Failures of the server are reported with status 200. Nothing is stored.
    """
    return await contents.read(principal, mcp_server_id, body.uri)


@router.get("/tools")
async def list_usable_mcp_tools(principal: Reader, reviews: ReviewsToRead) -> McpUsableTools:
    """List the MCP tools that workflows may use now, with the names that they use."""
    return await reviews.list_usable(principal)


@router.post(
    "/tools/test",
    dependencies=[NoTimeout],
    responses=problems(McpToolNotFound, McpToolNotUsable),
)
async def try_mcp_tool(body: McpToolTest, principal: ToolTester, tester: Tester) -> McpToolTestReport:
    """Call an approved MCP tool, as `POST /tools/try` does.

    It takes effect at the server and takes at most 30 seconds; its failures have status 200.
    """
    return await tester.call(principal, body)


@router.post("/import/config", responses=problems(McpImportInvalid))
async def import_mcp_config(
    body: McpConfigImport, principal: Writer, transfer: ConfigTransfer
) -> McpConfigImported:
    """Add the servers of a client's configuration file. Nothing is contacted, and no command is started.

    Servers that are reached over HTTP are added, with their credential if the file has it. A command that
    equals one of `MCP_STDIO_COMMANDS` word by word is added switched off, without its environment. For the
    others the answer says why not.
    """
    return await transfer.import_(principal, body)


@router.get("/export/config")
async def export_mcp_config(principal: Reader, transfer: ConfigExport) -> McpClientConfig:
    """Get the MCP servers as a client's configuration. Credentials are placeholders, commands left out."""
    return await transfer.export(principal)
