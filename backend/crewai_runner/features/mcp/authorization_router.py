"""API endpoints that authorize MCP servers with OAuth 2.1."""

from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.features.mcp.deps import Authorizations, Dependencies, Writer
from crewai_runner.features.mcp.errors import (
    McpAuthorizationFailed,
    McpAuthorizationInvalid,
    McpAuthorizationNotUsed,
    McpClientDocumentMissing,
    McpServerNotFound,
    PublicUrlMissing,
)
from crewai_runner.features.mcp.oauth.client_document import (
    DOCUMENT_PATH,
    McpClientDocument,
    make_client_document,
)
from crewai_runner.features.mcp.schemas import (
    McpAuthorizationFinish,
    McpAuthorizationFinished,
    McpAuthorizationStart,
)
from crewai_runner.http.deps import NoTimeout
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

PUBLIC_PATHS = (DOCUMENT_PATH,)
router = PrefixedRouter(prefix="/mcp", tags=["mcp"])


@router.get("/client-metadata", responses=problems(McpClientDocumentMissing))
async def get_mcp_client_document(deps: Dependencies) -> McpClientDocument:
    """Describe this server as an OAuth client, for authorization servers of MCP servers. Needs no key.

    The address of this document is the client ID; there is one only if `PUBLIC_URL` is https.
    """
    if deps.client_document_url is None:
        raise McpClientDocumentMissing
    return make_client_document(deps.client_document_url, deps.public_url)


@router.post(
    "/servers/{mcp_server_id}/authorize",
    dependencies=[NoTimeout],
    responses=problems(
        McpServerNotFound,
        McpAuthorizationNotUsed,
        PublicUrlMissing,
        McpAuthorizationFailed,
        SecretUnreadable,
    ),
)
async def begin_mcp_authorization(
    mcp_server_id: str, principal: Writer, authorizations: Authorizations
) -> McpAuthorizationStart:
    """Begin to authorize an MCP server with OAuth 2.1: the browser continues at the URL of the answer.

    Its authorization server is found through its metadata. This server registers there by itself, unless
    the MCP server has a client ID. Afterwards the browser comes back to the dashboard.
    """
    return await authorizations.begin(principal, mcp_server_id)


@router.post(
    "/authorizations/finish",
    dependencies=[NoTimeout],
    responses=problems(McpAuthorizationInvalid, McpAuthorizationFailed),
)
async def finish_mcp_authorization(
    body: McpAuthorizationFinish, principal: Writer, authorizations: Authorizations
) -> McpAuthorizationFinished:
    """Finish an authorization that the same caller has begun, within ten minutes and once.

    The tokens are stored encrypted, refreshed in the background, and sent to that MCP server only.
    """
    return McpAuthorizationFinished(server_id=await authorizations.finish(principal, body))
