"""The registry of the tools that runs may use, and calls outside of runs for people who try a tool."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.keyring import secret_parts
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask, TextMask
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.tool_names import make_model_names
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.tool_binding import ToolBinding, ToolKind
from crewai_runner.executor.tools.calls import ToolCalls
from crewai_runner.executor.tools.runner import ToolCallFailed, ToolEgress, ToolRunner
from crewai_runner.features.tools.errors import ToolsUnusable
from crewai_runner.features.tools.schemas import ToolTrial, ToolTrialResult
from crewai_runner.features.tools.sources import FoundTools, ListedTool, ToolProblem, ToolSource

__all__ = [
    "FoundTools",
    "ListedTool",
    "ToolDeps",
    "ToolProblem",
    "ToolRegistry",
    "ToolSource",
    "ToolTrials",
    "list_tool_names",
]
MAX_SECONDS = 30.0
"""The longest that a person who tries a tool waits for it."""


@dataclass(frozen=True, slots=True)
class ToolRegistry:
    """Finds tools by name in the source that each belongs to."""

    sources: Sequence[ToolSource]

    async def find(self, session: AsyncSession, workspace_id: str, names: Collection[str]) -> FoundTools:
        """Return a binding or a problem for each name, without contacting another host."""
        found, model_names = FoundTools(), make_model_names(names)
        for source in self.sources:
            owned = sorted(name for name in model_names if source.owns(name))
            if owned:
                part = await source.find(session, workspace_id, owned)
                found.bindings |= part.bindings
                found.problems += part.problems
        known = {*found.bindings, *(problem.tool for problem in found.problems)}
        found.problems += [_unknown(name) for name in model_names if name not in known]
        for name, binding in found.bindings.items():
            found.bindings[name] = replace(binding, model_name=model_names[name])
        return found

    async def list(self, session: AsyncSession, workspace_id: str) -> Sequence[ListedTool]:
        """Return every tool of the workspace, by name."""
        tools = [tool for source in self.sources for tool in await source.list(session, workspace_id)]
        return sorted(tools, key=lambda tool: tool.name)

    async def bind(
        self, session: AsyncSession, workspace_id: str, definition: WorkflowDefinition
    ) -> dict[str, ToolBinding]:
        """Return the bindings of all tools of a definition. Raises ToolsUnusable."""
        found = await self.find(session, workspace_id, list_tool_names(definition))
        if found.problems:
            raise ToolsUnusable(found.problems)
        return found.bindings


@dataclass(frozen=True, slots=True)
class ToolDeps:
    """Dependencies of the tool endpoints, built by the container."""

    sessions: Sessions
    registry: ToolRegistry
    runners: Mapping[ToolKind, ToolRunner]
    egress: ToolEgress
    mask: SecretMask


class ToolTrials:
    """No database connection is held while a tool runs."""

    def __init__(self, deps: ToolDeps) -> None:
        self._deps = deps

    async def call(self, principal: Principal, trial: ToolTrial) -> ToolTrialResult:
        """Call a tool; its failure is a result. Raises ToolsUnusable."""
        get_entry().set_target("tool", trial.tool)
        binding = await self._bind(principal, trial.tool)
        secrets = TextMask(secret_parts(*binding.secrets.values()))
        calls = ToolCalls(self._deps.runners, self._deps.egress, secrets)
        started = time.perf_counter()
        try:
            output, ok = await calls.call(binding, trial.arguments), True
        except ToolCallFailed as error:
            output, ok = str(error), False
        shown = self._deps.mask.scoped(principal.workspace_id)(output)
        return ToolTrialResult(ok=ok, output=shown, latency_ms=round((time.perf_counter() - started) * 1000))

    async def _bind(self, principal: Principal, name: str) -> ToolBinding:
        async with read_session(self._deps.sessions) as session:
            found = await self._deps.registry.find(session, principal.workspace_id, [name])
        if found.problems:
            raise ToolsUnusable(found.problems)
        binding = found.bindings[name]
        return replace(binding, timeout_seconds=min(binding.timeout_seconds, MAX_SECONDS))


def list_tool_names(definition: WorkflowDefinition) -> list[str]:
    """Return the names of the tools of agents and tasks, each once."""
    owners = [*(agent.tools for agent in definition.agents), *(task.tools for task in definition.tasks)]
    return list(dict.fromkeys(name for tools in owners for name in tools))


def _unknown(name: str) -> ToolProblem:
    message = f"There is no tool `{name}`. Remove it from the workflow, or choose another one."
    return ToolProblem(name, "unknown-tool", message, "/tools")
