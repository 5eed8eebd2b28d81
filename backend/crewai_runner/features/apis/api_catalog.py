"""List, preview, add and delete HTTP APIs."""

import asyncio

import jsonpath_rfc9535
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import HostUnresolved, UrlRefused
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import Principal
from crewai_runner.core.url_validation import parse_url
from crewai_runner.db.tables.http_apis import HttpApiRow
from crewai_runner.domain.connection import ConnectionPurpose
from crewai_runner.domain.openapi import ApiDocument, ApiOperation
from crewai_runner.features.apis.documents import load_document
from crewai_runner.features.apis.errors import ApiInvalid, TooManyApis
from crewai_runner.features.apis.repository import HttpApiRepository
from crewai_runner.features.apis.schemas import (
    ApiAnswer,
    ApiCreate,
    ApiDocumentSource,
    ApiList,
    ApiPreview,
    ApiRead,
    ApiTool,
)
from crewai_runner.features.apis.service import make_tool_name, read_operations
from crewai_runner.features.connections.errors import ConnectionNotFound
from crewai_runner.features.connections.service import ConnectionDeps, ConnectionService
from crewai_runner.features.idempotency.service import IdempotencyService

MAX_APIS = 100
RESOLVE_SECONDS = 3.0


class ApiCatalog:
    """The HTTP APIs of the caller's workspace. Documents are read before the first statement."""

    def __init__(self, session: AsyncSession, deps: ConnectionDeps) -> None:
        self._session, self._deps = session, deps
        self._apis = HttpApiRepository(session)

    async def list_all(self, principal: Principal) -> ApiList:
        """Return all APIs, by name."""
        rows = await self._apis.list_all(principal.workspace_id)
        return ApiList(apis=[_to_schema(row) for row in rows])

    async def preview(self, source: ApiDocumentSource) -> ApiPreview:
        """Return what a document describes. Raises ApiInvalid."""
        document = await load_document(source, self._deps.egress)
        return ApiPreview(
            title=document.title,
            version=document.version,
            server_url=document.server_url,
            operations=document.operations,
        )

    async def create(
        self, principal: Principal, request: ApiCreate, idempotency_key: str | None = None
    ) -> ApiAnswer:
        """Store the chosen operations. Raises ApiInvalid, ApiNameTaken, TooManyApis, IdempotencyKeyReused."""
        document = await load_document(request, self._deps.egress)
        operations = _choose(document, request)
        base_url = None if request.connection_id else await self._find_address(request, document)

        async def create() -> ApiAnswer:
            await self._apis.lock_workspace(principal.workspace_id)
            if await self._apis.count(principal.workspace_id) >= MAX_APIS:
                raise TooManyApis(MAX_APIS)
            await self._check_connection(principal, request)
            row = HttpApiRow(
                id=new_id(Prefix.API),
                workspace_id=principal.workspace_id,
                name=request.name,
                title=document.title,
                document_version=document.version,
                base_url=base_url,
                connection_id=request.connection_id,
                operation_ids=[operation.id for operation in operations],
                operations=[operation.model_dump(mode="json", by_alias=False) for operation in operations],
                result_paths=request.result_paths,
            )
            await self._apis.add(row)
            return ApiAnswer(api=_to_schema(row))

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "apis:create_api", idempotency_key
        )
        return await idempotent(ApiAnswer, request, create)

    async def delete(self, principal: Principal, api_id: str, expected: int | None) -> None:
        """Delete an API. Raises ApiNotFound, StaleVersion."""
        await self._apis.delete(await self._apis.get_for_update(api_id, principal.workspace_id, expected))

    async def _check_connection(self, principal: Principal, request: ApiCreate) -> None:
        if request.connection_id is None:
            return
        service = ConnectionService(self._session, self._deps)
        try:
            purpose = await service.get_purpose(principal.workspace_id, request.connection_id)
        except ConnectionNotFound as error:
            raise ApiInvalid("/connectionId", error.detail) from None
        if purpose is not ConnectionPurpose.HTTP:
            raise ApiInvalid("/connectionId", "Choose a connection of kind `http`.")

    async def _find_address(self, request: ApiCreate, document: ApiDocument) -> str:
        url = request.base_url or document.server_url
        if url is None:
            raise ApiInvalid("/baseUrl", "The document names no address. Enter it, or choose a connection.")
        try:
            if parse_url(url).query or "#" in url:
                raise ApiInvalid("/baseUrl", "An address must not have a query or a fragment.")
            async with asyncio.timeout(RESOLVE_SECONDS):
                await self._deps.egress.check_url(url)
        except (HostUnresolved, TimeoutError):
            return url
        except UrlRefused as error:
            raise ApiInvalid("/baseUrl", f"{error.detail} The address is {url[:200]}.") from None
        return url


def _choose(document: ApiDocument, request: ApiCreate) -> list[ApiOperation]:
    known, chosen = {operation.id: operation for operation in document.operations}, []
    for number, operation_id in enumerate(dict.fromkeys(request.operations)):
        operation = known.get(operation_id)
        if operation is None:
            raise ApiInvalid(f"/operations/{number}", f"The document has no operation {operation_id}.")
        if operation.problem is not None:
            raise ApiInvalid(f"/operations/{number}", f"{operation_id} cannot be a tool: {operation.problem}")
        chosen.append(operation)
    for operation_id, path in request.result_paths.items():
        try:
            jsonpath_rfc9535.compile(path)
        except jsonpath_rfc9535.JSONPathError as error:
            raise ApiInvalid(f"/resultPaths/{operation_id}", f"This is no JSONPath: {error}") from None
    return chosen


def _to_schema(row: HttpApiRow) -> ApiRead:
    return ApiRead(
        id=row.id,
        name=row.name,
        title=row.title,
        document_version=row.document_version,
        base_url=row.base_url,
        connection_id=row.connection_id,
        tools=[_to_tool(row, operation) for operation in read_operations(row)],
        created_at=row.created_at,
        version=row.version,
    )


def _to_tool(row: HttpApiRow, operation: ApiOperation) -> ApiTool:
    return ApiTool(
        tool=make_tool_name(row.name, operation.id),
        method=operation.method,
        path=operation.path,
        description=operation.description,
        result_path=row.result_paths.get(operation.id),
    )
