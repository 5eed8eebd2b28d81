"""FastAPI dependencies of the MCP endpoint."""

from typing import Annotated

from fastapi import Depends

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.mcp_endpoint.run_services import McpEndpointDeps
from crewai_runner.features.mcp_endpoint.service import McpService
from crewai_runner.http.deps import Provided

Caller = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
"""Each tool checks the further rights that it needs."""


async def _service(deps: Annotated[McpEndpointDeps, Depends(Provided(McpEndpointDeps))]) -> McpService:
    return McpService(deps)


Mcp = Annotated[McpService, Depends(_service)]
