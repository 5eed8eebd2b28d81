"""The source of the built-in tools, some of which need a connection."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.domain.connection import ConnectionPurpose
from crewai_runner.domain.tool_names import is_external_tool
from crewai_runner.domain.tools import TOOLS
from crewai_runner.executor.tool_binding import ToolBinding, ToolEffect, ToolKind
from crewai_runner.executor.tools.builtin import bind_builtin
from crewai_runner.features.connections.service import ConnectionDeps, ConnectionService, UsableConnection
from crewai_runner.features.tools.sources import FoundTools, ListedTool, ToolProblem

_NEEDED: Mapping[ConnectionPurpose, str] = MappingProxyType(
    {
        ConnectionPurpose.SEARCH: "a search service",
        ConnectionPurpose.HTTP: "an HTTP host",
        ConnectionPurpose.MESSAGES: "a channel",
        ConnectionPurpose.DATABASE: "a database",
        ConnectionPurpose.EMAIL: "a mail server",
    }
)
_Connections = Mapping[ConnectionPurpose, Sequence[UsableConnection]]


@dataclass(frozen=True, slots=True)
class BuiltinSource:
    """Finds the built-in tools, with the workspace's connections."""

    deps: ConnectionDeps

    def owns(self, name: str) -> bool:
        return not is_external_tool(name)

    async def find(self, session: AsyncSession, workspace_id: str, names: Collection[str]) -> FoundTools:
        found, known = FoundTools(), [name for name in names if name in TOOLS]
        purposes = {purpose for name in known if (purpose := TOOLS[name].purpose) is not None}
        service = ConnectionService(session, self.deps)
        try:
            connections = await service.list_usable(workspace_id, purposes)
        except SecretUnreadable as error:
            found.problems = [
                ToolProblem(name, error.slug, f"`{name}`: {error.detail}", "/tools")
                for name in known
                if TOOLS[name].purpose is not None
            ]
            connections = {}
        unusable = {problem.tool for problem in found.problems}
        for name in known:
            problem = find_missing_connection(name, connections)
            if name in unusable:
                continue
            if problem is None:
                found.bindings[name] = _bind(name, connections)
            else:
                found.problems.append(problem)
        return found

    async def list(self, session: AsyncSession, workspace_id: str) -> Sequence[ListedTool]:
        service = ConnectionService(session, self.deps)
        names = await service.list_connection_names(workspace_id)
        return [_list_tool(name, names) for name in TOOLS]


def find_missing_connection(
    name: str, connections: Mapping[ConnectionPurpose, Sequence[object]]
) -> ToolProblem | None:
    """Return the problem of a tool whose connection is missing."""
    purpose = TOOLS[name].purpose
    if purpose is None or connections.get(purpose):
        return None
    message = (
        f"The tool `{name}` needs a connection to {_NEEDED[purpose]}, and there is none. "
        "Add one on the page Tools, or remove the tool."
    )
    return ToolProblem(name, "connection-missing", message, f"/tools?add={purpose}")


def _list_tool(name: str, connections: Mapping[ConnectionPurpose, Sequence[str]]) -> ListedTool:
    tool = TOOLS[name]
    return ListedTool(
        name=name,
        kind=ToolKind.BUILTIN,
        title=tool.title,
        description=tool.description,
        parameters=tool.parameters,
        effect=ToolEffect.WRITE if tool.writes else ToolEffect.READ,
        network=tool.network,
        connections=() if tool.purpose is None else tuple(connections.get(tool.purpose, ())),
        problem=find_missing_connection(name, connections),
    )


def _bind(name: str, connections: _Connections) -> ToolBinding:
    binding, purpose = bind_builtin(name), TOOLS[name].purpose
    if purpose is None:
        return binding
    if purpose is ConnectionPurpose.SEARCH:
        return _bind_search(binding, connections[purpose][0])
    usable = {connection.name: connection for connection in connections[purpose]}
    return replace(
        binding,
        parameters=_with_choice(binding.parameters, sorted(usable)),
        config={"connections": {key: _describe(connection) for key, connection in usable.items()}},
        secrets={key: one.secret for key, one in usable.items() if one.secret is not None},
    )


def _bind_search(binding: ToolBinding, connection: UsableConnection) -> ToolBinding:
    secrets: dict[str, SecretStr] = {} if connection.secret is None else {"secret": connection.secret}
    config = {"kind": connection.kind.value, "base_url": connection.base_url, "connection": connection.name}
    return replace(binding, config=config, secrets=secrets)


def _describe(connection: UsableConnection) -> dict[str, Any]:
    options = connection.options.model_dump(mode="json", by_alias=False)
    return {"kind": connection.kind.value, "base_url": connection.base_url, **options}


def _with_choice(parameters: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the schema in which the model chooses one of several connections, if there are several."""
    properties = {name: schema for name, schema in parameters["properties"].items() if name != "connection"}
    if len(names) == 1:
        return {**parameters, "properties": properties}
    choice = {"type": "string", "enum": names, "description": "The connection to use."}
    required = ["connection", *parameters.get("required", ())]
    return {**parameters, "properties": {"connection": choice, **properties}, "required": required}
