"""API endpoints of tools."""

from crewai_runner.features.tools.deps import Catalog, Reader, Tester, Trials
from crewai_runner.features.tools.errors import ToolsUnusable
from crewai_runner.features.tools.schemas import ToolList, ToolTrial, ToolTrialResult
from crewai_runner.http.deps import NoTimeout
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/tools", tags=["tools"])


@router.get("")
async def list_tools(principal: Reader, catalog: Catalog) -> ToolList:
    """List the tools that workflows may name, also those that need a connection first."""
    return await catalog.list_all(principal)


@router.post("/try", dependencies=[NoTimeout], responses=problems(ToolsUnusable))
async def try_tool(body: ToolTrial, principal: Tester, trials: Trials) -> ToolTrialResult:
    """Call a tool with these arguments, with the limits and connections of a run; takes at most 30 seconds.

    The call is real: a message is posted, and a service may bill it. A failure is reported with status 200.
    """
    return await trials.call(principal, body)
