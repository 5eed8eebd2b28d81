"""Imports and exports the configuration of MCP clients. Nothing is contacted or started."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import AppError
from crewai_runner.core.principal import Principal
from crewai_runner.domain.mcp_server import McpAuth, get_command_name
from crewai_runner.features.mcp.client_config import ImportedServer, read_config, write_entry
from crewai_runner.features.mcp.repository import McpServerRepository
from crewai_runner.features.mcp.schemas import (
    McpClientConfig,
    McpConfigImport,
    McpConfigImported,
    McpImportEntry,
    McpServerCreate,
    McpServerRead,
)
from crewai_runner.features.mcp.servers import McpServers
from crewai_runner.features.mcp.service import McpDeps


def _fail_to_resolve(host: str, _port: int) -> list[str]:
    raise OSError(f"{host} is not resolved")


class McpConfigTransfer:
    """The configuration of the caller's workspace."""

    def __init__(self, session: AsyncSession, deps: McpDeps) -> None:
        self._commands = deps.commands.listed
        # Not even names are looked up: addresses are checked when a server is connected.
        offline = replace(deps, egress=replace(deps.egress, resolve=_fail_to_resolve))
        self._servers, self._catalog = McpServerRepository(session), McpServers(session, offline)

    async def import_(self, principal: Principal, body: McpConfigImport) -> McpConfigImported:
        """Add the servers of a configuration that can be reached over HTTP.

        Raises McpImportInvalid for what is not a configuration.
        """
        await self._servers.lock_workspace(principal.workspace_id)
        taken = await self._servers.list_names(principal.workspace_id)
        found = read_config(body.config, taken, self._commands)
        entries = [await self._add(principal, one) for one in found]
        return McpConfigImported(entries=entries)

    async def export(self, principal: Principal) -> McpClientConfig:
        """Return all servers in the network as clients write them, without credentials."""
        rows = await self._servers.list_all(principal.workspace_id)
        servers = {
            row.name: write_entry(
                McpServerCreate.model_construct(
                    name=row.name, url=row.url, auth=McpAuth(row.auth), header_name=row.header_name
                )
            )
            for row in rows
            if get_command_name(row.url) is None
        }
        return McpClientConfig(mcp_servers=servers)

    async def _add(self, principal: Principal, imported: ImportedServer) -> McpImportEntry:
        server: McpServerRead | None = None
        problem = imported.problem
        if imported.server is not None:
            try:
                server = (await self._catalog.create(principal, imported.server)).server
            except AppError as error:
                problem = error.detail
        return McpImportEntry(name=imported.name, server=server, problem=problem, note=imported.note)
