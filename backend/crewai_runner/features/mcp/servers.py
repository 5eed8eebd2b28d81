"""List, create, replace and delete MCP servers. None of this contacts a server."""

import asyncio
from collections.abc import Sequence

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import HostUnresolved, UrlRefused
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.mcp import McpServerRow, McpToolRow
from crewai_runner.domain.mcp_server import McpAuth, McpEra, get_command_name
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.mcp.errors import CredentialNeededAgain, McpServerInvalid, TooManyMcpServers
from crewai_runner.features.mcp.repository import McpServerRepository, McpToolRepository
from crewai_runner.features.mcp.rules import (
    MAX_SERVERS,
    count_states,
    find_command_problem,
    find_header_problem,
    find_url_problem,
    make_hint,
    origin_of,
)
from crewai_runner.features.mcp.schemas import (
    McpConnectionReport,
    McpServerAnswer,
    McpServerCreate,
    McpServerList,
    McpServerRead,
    McpServerStatus,
    McpServerUpdate,
)
from crewai_runner.features.mcp.service import McpDeps, make_keyring

RESOLVE_SECONDS = 3.0


class McpServers:
    """The servers of the caller's workspace."""

    def __init__(self, session: AsyncSession, deps: McpDeps) -> None:
        self._session, self._deps = session, deps
        self._servers, self._tools = McpServerRepository(session), McpToolRepository(session)
        self._keyring = make_keyring(deps.cipher, deps.mask)

    async def list_all(self, principal: Principal) -> McpServerList:
        """Return all servers, by name."""
        rows = await self._servers.list_all(principal.workspace_id)
        tools = await self._tools.list_of(rows)
        return McpServerList(
            servers=[to_schema(row, [tool for tool in tools if tool.server_id == row.id]) for row in rows],
            commands=sorted(self._deps.commands.listed),
        )

    async def get(self, principal: Principal, server_id: str) -> McpServerRead:
        """Return one server. Raises McpServerNotFound."""
        row = await self._servers.get(server_id, principal.workspace_id)
        return to_schema(row, await self._tools.list_of([row]))

    async def get_status(self, principal: Principal, server_id: str) -> McpServerStatus:
        """Return what is known of a server. Raises McpServerNotFound."""
        server = await self.get(principal, server_id)
        return McpServerStatus(
            era=server.era, last_connection=server.last_connection, tool_counts=server.tool_counts
        )

    async def create(
        self, principal: Principal, request: McpServerCreate, idempotency_key: str | None = None
    ) -> McpServerAnswer:
        """Store a server. Raises McpServerInvalid, McpServerNameTaken, TooManyMcpServers."""
        await self._check(request)

        async def create() -> McpServerAnswer:
            await self._servers.lock_workspace(principal.workspace_id)
            if await self._servers.count(principal.workspace_id) >= MAX_SERVERS:
                raise TooManyMcpServers(MAX_SERVERS)
            row = McpServerRow(
                id=new_id(Prefix.MCP_SERVER), workspace_id=principal.workspace_id, name=request.name
            )
            _apply(row, request)
            self._set_credential(row, request.credential)
            self._set_client(row, request)
            await self._servers.add(row)
            return McpServerAnswer(server=to_schema(row, []))

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "mcp:create_mcp_server", idempotency_key
        )
        return await idempotent(McpServerAnswer, request, create)

    async def replace(
        self, principal: Principal, server_id: str, request: McpServerUpdate, expected: int | None
    ) -> McpServerRead:
        """Replace a server; with another address its tools must be approved again.

        Raises McpServerNotFound, StaleVersion, McpServerInvalid, CredentialNeededAgain, McpServerNameTaken.
        """
        await self._check(request)
        row = await self._servers.get_for_update(server_id, principal.workspace_id)
        check_version(row.version, expected)
        self._replace_credential(row, request)
        self._set_client(row, request)
        if request.url != row.url:
            await self._tools.delete_all(row)
            row.era, row.last_connection = None, None
        row.name = request.name
        _apply(row, request)
        await self._servers.save(row)
        return to_schema(row, await self._tools.list_of([row]))

    async def delete(self, principal: Principal, server_id: str, expected: int | None) -> None:
        """Delete a server, its credential and its tools. Raises McpServerNotFound, StaleVersion."""
        row = await self._servers.get_for_update(server_id, principal.workspace_id, expected)
        await self._tools.delete_all(row)
        await self._servers.delete(row)
        self._keyring.forget(row.workspace_id, row.id)

    async def _check(self, request: McpServerCreate) -> None:
        """Raise McpServerInvalid. Resolves the host name, so call it before the first statement."""
        if (command := get_command_name(request.url)) is not None:
            unfit = find_command_problem(command, request.auth, self._deps.commands.listed)
            if unfit is not None:
                raise McpServerInvalid(*unfit)
            return
        if (problem := find_url_problem(request.url)) is not None:
            raise McpServerInvalid("/url", problem)
        if (problem := find_header_problem(request.auth, request.header_name)) is not None:
            raise McpServerInvalid("/headerName", problem)
        if (misfit := find_credential_problem(request)) is not None:
            raise McpServerInvalid(*misfit)
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                await self._deps.egress.check_url(request.url)
        except (HostUnresolved, TimeoutError):
            return  # every connection is checked again
        except UrlRefused as error:
            raise McpServerInvalid("/url", error.detail) from None

    def _replace_credential(self, row: McpServerRow, request: McpServerUpdate) -> None:
        """Keep, replace or remove the credential; a token is for one address and kind only."""
        is_same = (request.url, request.auth.value) == (row.url, row.auth)
        is_same = is_same and request.oauth_client_secret is None
        if request.auth is McpAuth.OAUTH or row.auth == McpAuth.OAUTH:
            if not is_same or request.oauth_client_id != row.oauth_client_id:
                self._set_credential(row, request.credential)
                _forget_tokens(row)
            return
        keeps = "credential" not in request.model_fields_set and request.auth is not McpAuth.NONE
        if not keeps or row.sealed_credential is None:
            self._set_credential(row, request.credential)
        elif origin_of(request.url) != origin_of(row.url):
            raise CredentialNeededAgain

    def _set_client(self, row: McpServerRow, request: McpServerCreate) -> None:
        """Store the client at the authorization server; a secret that is not sent is kept."""
        row.oauth_client_id = request.oauth_client_id
        if request.oauth_client_secret is not None:
            secret = request.oauth_client_secret.get_secret_value()
            row.sealed_client_secret = self._deps.cipher.encrypt(secret)
            return
        is_removed = "oauth_client_secret" in request.model_fields_set
        if is_removed if request.oauth_client_id is not None else row.oauth_client is None:
            row.sealed_client_secret = None

    def _set_credential(self, row: McpServerRow, credential: SecretStr | None) -> None:
        if credential is None:
            self._keyring.forget(row.workspace_id, row.id)
            row.sealed_credential = row.credential_hint = None
            return
        row.sealed_credential = self._keyring.encrypt(credential, row.workspace_id, row.id)
        row.credential_hint = make_hint(credential.get_secret_value())


def find_credential_problem(request: McpServerCreate) -> tuple[str, str] | None:
    """Return the field that does not fit the kind of authentication, and why."""
    has_own = request.auth in (McpAuth.BEARER, McpAuth.HEADER)
    if request.credential is not None and not has_own:
        return "/credential", "Only `bearer` and `header` have a credential that you enter."
    is_oauth = request.auth is McpAuth.OAUTH
    if request.oauth_client_id is not None and not is_oauth:
        return "/oauthClientId", "Only `oauth` has a client."
    if request.oauth_client_secret is not None and request.oauth_client_id is None:
        return "/oauthClientSecret", "A secret belongs to a client: enter its ID."
    return None


def _forget_tokens(row: McpServerRow) -> None:
    row.oauth_client = row.sealed_refresh_token = row.sealed_attempt = row.authorized_by = None
    row.token_expires_at = row.token_refresh_at = None
    row.sealed_client_secret = None


def _apply(row: McpServerRow, request: McpServerCreate) -> None:
    row.url, row.auth, row.header_name = request.url, request.auth.value, request.header_name
    row.timeout_seconds, row.is_enabled = request.timeout_seconds, request.is_enabled


def to_schema(row: McpServerRow, tools: Sequence[McpToolRow]) -> McpServerRead:
    """Return a server as the API shows it."""
    report = row.last_connection
    return McpServerRead(
        id=row.id,
        name=row.name,
        url=row.url,
        auth=McpAuth(row.auth),
        header_name=row.header_name,
        has_credential=row.sealed_credential is not None and row.auth != McpAuth.OAUTH,
        credential_hint=row.credential_hint,
        oauth_client_id=row.oauth_client_id,
        is_authorized=row.auth == McpAuth.OAUTH and row.sealed_credential is not None,
        token_expires_at=row.token_expires_at,
        timeout_seconds=row.timeout_seconds,
        is_enabled=row.is_enabled,
        era=None if row.era is None else McpEra(row.era),
        last_connection=None if report is None else McpConnectionReport.model_validate(report),
        tool_counts=count_states(tools),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
