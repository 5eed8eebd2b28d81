"""Where the tools of a run come from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.executor.tool_binding import ToolBinding, ToolEffect, ToolKind


@dataclass(frozen=True, slots=True)
class ToolProblem:
    """Why a tool cannot be used in a run. `code` is a stable slug, `message` says how to fix it."""

    tool: str
    code: str
    message: str
    remedy: str | None = None
    """The path in the dashboard where it can be fixed, such as `/tools?add=search`."""


@dataclass(slots=True)
class FoundTools:
    """What a source knows of the tools it was asked for: a binding or a problem for each."""

    bindings: dict[str, ToolBinding] = field(default_factory=dict)
    problems: list[ToolProblem] = field(default_factory=list)

    def add(self, name: str, result: ToolBinding | ToolProblem) -> None:
        """Note what was found of a tool."""
        if isinstance(result, ToolProblem):
            self.problems.append(result)
        else:
            self.bindings[name] = result


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool of the catalog as people see it, also when it cannot be used yet."""

    name: str
    kind: ToolKind
    title: str
    description: str
    parameters: dict[str, Any]
    effect: ToolEffect
    network: bool
    connections: tuple[str, ...] = ()
    """The names of the connections it uses, the default one first."""
    problem: ToolProblem | None = None


class ToolSource(Protocol):
    """Knows the tools of one kind. Reads only the database; contacts no other host."""

    def owns(self, name: str) -> bool:
        """Return whether a tool with this name would come from this source."""

    async def find(self, session: AsyncSession, workspace_id: str, names: Collection[str]) -> FoundTools:
        """Return a binding with credentials, or a problem, for each name.

        `model_name` may be anything: the registry sets it.
        """

    async def list(self, session: AsyncSession, workspace_id: str) -> Sequence[ListedTool]:
        """Return all tools of the workspace, for the catalog and the editor."""
