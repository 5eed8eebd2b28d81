"""List, create, update and delete connections."""

import asyncio

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy, HostUnresolved, UrlRefused
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal
from crewai_runner.core.url_validation import KNOWN_SCHEMES, get_port, parse_server_url
from crewai_runner.db.tables.connections import ConnectionRow
from crewai_runner.domain.connection import (
    MESSAGE_KINDS,
    ConnectionKind,
    ConnectionOptions,
    ConnectionPurpose,
    get_purpose,
)
from crewai_runner.features.connections.errors import ConnectionInvalid, SecretNeededAgain
from crewai_runner.features.connections.repository import ConnectionRepository
from crewai_runner.features.connections.rules import ConnectionAddress, find_problems
from crewai_runner.features.connections.schemas import (
    ConnectionAnswer,
    ConnectionCreate,
    ConnectionList,
    ConnectionRead,
    ConnectionUpdate,
)
from crewai_runner.features.connections.service import ConnectionDeps
from crewai_runner.features.idempotency.service import IdempotencyService

RESOLVE_SECONDS = 3.0
_HINT_LENGTH = 4
_MIN_LENGTH_WITH_HINT = 12


class ConnectionCatalog:
    """Manages connections. Host names are resolved before the first statement."""

    def __init__(self, session: AsyncSession, deps: ConnectionDeps) -> None:
        self._session = session
        self._connections = ConnectionRepository(session)
        self._keyring, self._egress = deps.make_keyring(), deps.egress

    async def list_page(self, principal: Principal, limit: int, cursor: str | None) -> ConnectionList:
        """Return one page, oldest first. Raises BadRequest for an invalid cursor."""
        after = decode_id_cursor(cursor, Prefix.CONNECTION)
        rows = await self._connections.list_page(principal.workspace_id, after, limit + 1)
        page = make_page(rows, limit, lambda row: row.id)
        return ConnectionList(connections=list(map(_to_schema, page.items)), next_cursor=page.next_cursor)

    async def get(self, principal: Principal, connection_id: str) -> ConnectionRead:
        """Return one connection. Raises ConnectionNotFound."""
        return _to_schema(await self._connections.get(connection_id, principal.workspace_id))

    async def create(
        self, principal: Principal, request: ConnectionCreate, idempotency_key: str | None = None
    ) -> ConnectionAnswer:
        """Store a connection. Raises ConnectionInvalid, ConnectionNameTaken, IdempotencyKeyReused."""
        await check_request(request, self._egress)

        async def create() -> ConnectionAnswer:
            await self._connections.lock_workspace(principal.workspace_id)
            purpose = get_purpose(request.kind)
            row = ConnectionRow(
                id=new_id(Prefix.CONNECTION),
                workspace_id=principal.workspace_id,
                name=request.name,
                kind=request.kind.value,
                purpose=purpose.value,
                base_url=request.base_url,
                options=request.options.model_dump(mode="json", by_alias=False),
                is_default=await self._becomes_default(principal, purpose, wanted=request.is_default),
            )
            self._set_secret(row, request.secret)
            await self._connections.add(row)
            return ConnectionAnswer(connection=_to_schema(row))

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "connections:create_connection", idempotency_key
        )
        return await idempotent(ConnectionAnswer, request, create)

    async def update(
        self, principal: Principal, connection_id: str, request: ConnectionUpdate, expected: int | None
    ) -> ConnectionRead:
        """Change the fields that were sent.

        Raises ConnectionNotFound, StaleVersion, ConnectionInvalid, SecretNeededAgain, ConnectionNameTaken.
        """
        if request.base_url is not None:
            await _check_egress("/baseUrl", request.base_url, self._egress)
        await self._connections.lock_workspace(principal.workspace_id)
        row = await self._connections.get_for_update(connection_id, principal.workspace_id)
        check_version(row.version, expected)
        self._check_update(row, request)
        sent = request.model_fields_set
        if "is_default" in sent and request.is_default and not row.is_default:
            await self._connections.clear_default(row.workspace_id, row.purpose)
        if "options" in sent:
            row.options = request.options.model_dump(mode="json", by_alias=False)
        for name in sent & {"name", "base_url", "is_default"}:
            setattr(row, name, getattr(request, name))
        if "secret" in sent:
            self._set_secret(row, request.secret)
        await self._connections.save(row)
        return _to_schema(row)

    async def delete(self, principal: Principal, connection_id: str, expected: int | None) -> None:
        """Delete a connection and its secret. Raises ConnectionNotFound, StaleVersion."""
        row = await self._connections.get_for_update(connection_id, principal.workspace_id, expected)
        await self._connections.delete(row)
        self._keyring.forget(row.workspace_id, row.id)

    async def _becomes_default(
        self, principal: Principal, purpose: ConnectionPurpose, *, wanted: bool
    ) -> bool:
        if not await self._connections.has_any(principal.workspace_id, purpose):
            return True
        if wanted:
            await self._connections.clear_default(principal.workspace_id, purpose)
        return wanted

    @staticmethod
    def _check_update(row: ConnectionRow, request: ConnectionUpdate) -> None:
        sent, kind = request.model_fields_set, ConnectionKind(row.kind)
        base_url = request.base_url if "base_url" in sent else row.base_url
        options = request.options if "options" in sent else ConnectionOptions.model_validate(row.options)
        secret = None if request.secret is None else request.secret.get_secret_value()
        keeps_secret = "secret" not in sent and row.sealed_secret is not None
        problems = find_problems(
            kind, base_url, options, secret, has_secret=keeps_secret or secret is not None
        )
        if problems:
            raise ConnectionInvalid(problems)
        old = ConnectionAddress(kind, row.base_url, row.options.get("token_url"))
        new = ConnectionAddress(kind, base_url, options.token_url)
        if keeps_secret and new.origins != old.origins:
            raise SecretNeededAgain

    def _set_secret(self, row: ConnectionRow, secret: SecretStr | None) -> None:
        if secret is None:
            self._keyring.forget(row.workspace_id, row.id)
            row.sealed_secret = row.secret_hint = None
            return
        row.sealed_secret = self._keyring.encrypt(secret, row.workspace_id, row.id)
        text = secret.get_secret_value()
        row.secret_hint = text[-_HINT_LENGTH:] if len(text) >= _MIN_LENGTH_WITH_HINT else None


async def check_request(request: ConnectionCreate, egress: EgressPolicy) -> None:
    """Check a new connection and resolve its host. Raises ConnectionInvalid."""
    secret = None if request.secret is None else request.secret.get_secret_value()
    problems = find_problems(
        request.kind, request.base_url, request.options, secret, has_secret=secret is not None
    )
    if problems:
        raise ConnectionInvalid(problems)
    if request.base_url is not None:
        await _check_egress("/baseUrl", request.base_url, egress)
    elif secret is not None and request.kind in MESSAGE_KINDS:
        await _check_egress("/secret", secret, egress)


async def _check_egress(pointer: str, url: str, egress: EgressPolicy) -> None:
    """Raise ConnectionInvalid for a forbidden address; every connection is checked again."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            parsed = parse_server_url(url, KNOWN_SCHEMES)
            await egress.resolve_allowed(parsed.raw_host.decode("ascii"), get_port(parsed))
    except (HostUnresolved, TimeoutError):
        return
    except UrlRefused as error:
        raise ConnectionInvalid([(pointer, error.detail)]) from None


def _to_schema(row: ConnectionRow) -> ConnectionRead:
    return ConnectionRead(
        id=row.id,
        name=row.name,
        kind=ConnectionKind(row.kind),
        purpose=ConnectionPurpose(row.purpose),
        base_url=row.base_url,
        has_secret=row.sealed_secret is not None,
        secret_hint=row.secret_hint,
        options=ConnectionOptions.model_validate(row.options),
        is_default=row.is_default,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
