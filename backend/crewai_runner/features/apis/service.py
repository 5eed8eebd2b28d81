"""The tools of HTTP APIs for other features."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.encryption import SecretUnreadable
from crewai_runner.db.tables.http_apis import HttpApiRow
from crewai_runner.domain.connection import ConnectionOptions, ConnectionPurpose, HttpMethod
from crewai_runner.domain.openapi import ApiOperation
from crewai_runner.executor.tool_binding import ToolBinding, ToolEffect, ToolKind
from crewai_runner.executor.tools.http_api import SECRET
from crewai_runner.features.apis.repository import HttpApiRepository
from crewai_runner.features.connections.service import ConnectionDeps, ConnectionService, UsableConnection
from crewai_runner.features.tools.service import FoundTools, ListedTool, ToolProblem

TOOL_PREFIX = "api:"
PAGE = "/tools"


def make_tool_name(api: str, operation: str) -> str:
    """Return how workflows name an operation."""
    return f"{TOOL_PREFIX}{api}/{operation}"


@dataclass(frozen=True, slots=True)
class HttpApiSource:
    """Finds the chosen operations of HTTP APIs."""

    deps: ConnectionDeps

    def owns(self, name: str) -> bool:
        return name.startswith(TOOL_PREFIX)

    async def find(self, session: AsyncSession, workspace_id: str, names: Collection[str]) -> FoundTools:
        """Return the binding of each operation, and why the others cannot be used."""
        references = {name: name.removeprefix(TOOL_PREFIX).partition("/") for name in names}
        slugs = sorted({slug for slug, _, _ in references.values()})
        rows = await HttpApiRepository(session).list_by_names(slugs, workspace_id)
        found, apis = FoundTools(), {row.name: row for row in rows}
        connections = await self._list_connections(session, workspace_id, rows)
        for name, (slug, _, operation_id) in references.items():
            found.add(name, _bind(name, apis.get(slug), operation_id, connections))
        return found

    async def list(self, session: AsyncSession, workspace_id: str) -> Sequence[ListedTool]:
        """Return the chosen operations, by name."""
        rows = await HttpApiRepository(session).list_all(workspace_id)
        return [_list_tool(row, operation) for row in rows for operation in read_operations(row)]

    async def _list_connections(
        self, session: AsyncSession, workspace_id: str, rows: Sequence[HttpApiRow]
    ) -> dict[str, UsableConnection] | SecretUnreadable:
        """Return the connections by id, with a statement only if an API has one."""
        if all(row.connection_id is None for row in rows):
            return {}
        service = ConnectionService(session, self.deps)
        try:
            usable = await service.list_usable(workspace_id, {ConnectionPurpose.HTTP})
        except SecretUnreadable as error:
            return error
        return {connection.id: connection for connection in usable[ConnectionPurpose.HTTP]}


def read_operations(row: HttpApiRow) -> list[ApiOperation]:
    """Return the operations of an API that were chosen."""
    return [ApiOperation.model_validate(operation) for operation in row.operations]


def _bind(
    name: str,
    row: HttpApiRow | None,
    operation_id: str,
    connections: dict[str, UsableConnection] | SecretUnreadable,
) -> ToolBinding | ToolProblem:
    if row is None:
        return ToolProblem(name, "api-unknown", f"There is no API for the tool `{name}`. Add it.", PAGE)
    operation = next((one for one in read_operations(row) if one.id == operation_id), None)
    if operation is None:
        message = f"The API {row.name} has no operation `{operation_id}` that was chosen as a tool."
        return ToolProblem(name, "api-operation-unknown", message, PAGE)
    if row.connection_id is None:
        return _make_binding(name, row, operation, None)
    return _bind_connection(name, row, operation, connections)


def _bind_connection(
    name: str,
    row: HttpApiRow,
    operation: ApiOperation,
    connections: dict[str, UsableConnection] | SecretUnreadable,
) -> ToolBinding | ToolProblem:
    if isinstance(connections, SecretUnreadable):
        return ToolProblem(name, connections.slug, f"`{name}`: {connections.detail}", PAGE)
    connection = connections.get(row.connection_id or "")
    if connection is None:
        message = f"The connection of the API {row.name} was deleted. Add the API again with another one."
        return ToolProblem(name, "connection-missing", message, PAGE)
    if operation.method not in connection.options.methods:
        message = f"`{name}` needs {operation.method}, which the connection {connection.name} does not allow."
        return ToolProblem(name, "method-not-allowed", message, PAGE)
    return _make_binding(name, row, operation, connection)


def _make_binding(
    name: str, row: HttpApiRow, operation: ApiOperation, connection: UsableConnection | None
) -> ToolBinding:
    options = ConnectionOptions() if connection is None else connection.options
    stored = None if connection is None else connection.secret
    config = {
        "api": row.title,
        "base_url": row.base_url if connection is None else connection.base_url,
        "method": operation.method.value,
        "path": operation.path,
        "arguments": [one.model_dump(mode="json", by_alias=False) for one in operation.arguments],
        "result_path": row.result_paths.get(operation.id),
        "auth": options.model_dump(mode="json", by_alias=False),
    }
    return ToolBinding(
        name=name,
        model_name=name,
        kind=ToolKind.HTTP_API,
        title=operation.id,
        description=operation.description,
        parameters=operation.parameters,
        effect=find_effect(operation.method),
        config=config,
        secrets={} if stored is None else {SECRET: stored},
    )


def find_effect(method: HttpMethod) -> ToolEffect:
    """Return what a call with a method does: only GET is known to change nothing."""
    return ToolEffect.READ if method is HttpMethod.GET else ToolEffect.WRITE


def _list_tool(row: HttpApiRow, operation: ApiOperation) -> ListedTool:
    return ListedTool(
        name=make_tool_name(row.name, operation.id),
        kind=ToolKind.HTTP_API,
        title=f"{row.title}: {operation.id}",
        description=operation.description,
        parameters=operation.parameters,
        effect=find_effect(operation.method),
        network=True,
    )
