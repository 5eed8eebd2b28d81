"""FastAPI dependencies of the MCP endpoints."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.mcp.config_transfer import McpConfigTransfer
from crewai_runner.features.mcp.connections import McpConnector
from crewai_runner.features.mcp.contents import McpContentReader
from crewai_runner.features.mcp.oauth.authorizations import McpAuthorizations
from crewai_runner.features.mcp.servers import McpServers
from crewai_runner.features.mcp.service import McpDeps
from crewai_runner.features.mcp.tool_reviews import McpToolReviewService
from crewai_runner.features.mcp.tool_tester import McpToolTester
from crewai_runner.features.tools.service import ToolDeps, ToolTrials
from crewai_runner.http.deps import Provided, ReadSessionDep, SessionDep

Reader = Annotated[Principal, Depends(Requires(Scope.TOOLS_READ))]
Writer = Annotated[Principal, Depends(Requires(Scope.CONNECTIONS_WRITE))]
ToolTester = Annotated[Principal, Depends(Requires(Scope.TOOLS_TRY))]
Dependencies = Annotated[McpDeps, Depends(Provided(McpDeps))]
_Tools = Annotated[ToolDeps, Depends(Provided(ToolDeps))]


async def _servers(session: SessionDep, deps: Dependencies) -> McpServers:
    return McpServers(session, deps)


async def _servers_to_read(session: ReadSessionDep, deps: Dependencies) -> McpServers:
    return McpServers(session, deps)


async def _config_transfer(session: SessionDep, deps: Dependencies) -> McpConfigTransfer:
    return McpConfigTransfer(session, deps)


async def _config_export(session: ReadSessionDep, deps: Dependencies) -> McpConfigTransfer:
    return McpConfigTransfer(session, deps)


async def _reviews(session: SessionDep) -> McpToolReviewService:
    return McpToolReviewService(session)


async def _reviews_to_read(session: ReadSessionDep) -> McpToolReviewService:
    return McpToolReviewService(session)


async def _authorizations(deps: Dependencies) -> McpAuthorizations:
    return McpAuthorizations(deps)


async def _connector(deps: Dependencies) -> McpConnector:
    return McpConnector(deps)


async def _contents(deps: Dependencies) -> McpContentReader:
    return McpContentReader(deps)


async def _tester(tools: _Tools) -> McpToolTester:
    return McpToolTester(ToolTrials(tools))


Servers = Annotated[McpServers, Depends(_servers, scope="function")]
ServersToRead = Annotated[McpServers, Depends(_servers_to_read, scope="function")]
Reviews = Annotated[McpToolReviewService, Depends(_reviews, scope="function")]
ReviewsToRead = Annotated[McpToolReviewService, Depends(_reviews_to_read, scope="function")]
ConfigTransfer = Annotated[McpConfigTransfer, Depends(_config_transfer, scope="function")]
ConfigExport = Annotated[McpConfigTransfer, Depends(_config_export, scope="function")]
Authorizations = Annotated[McpAuthorizations, Depends(_authorizations)]
Connector = Annotated[McpConnector, Depends(_connector)]
ContentReader = Annotated[McpContentReader, Depends(_contents)]
Tester = Annotated[McpToolTester, Depends(_tester)]
