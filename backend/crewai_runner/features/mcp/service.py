"""The tools of MCP servers for other features, and the credentials of the servers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.core.keyring import Keyring
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import Sessions
from crewai_runner.db.tables.mcp import McpServerRow, McpToolRow
from crewai_runner.domain.mcp_server import (
    TOOL_PREFIX,
    McpAuth,
    McpToolState,
    make_tool_reference,
    split_tool_reference,
)
from crewai_runner.executor.mcp.commands import CommandStarter, NoCommands
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.features.mcp.repository import McpServerRepository, McpToolRepository
from crewai_runner.features.mcp.rules import UNUSABLE_BECAUSE, make_tool_binding, tool_state
from crewai_runner.features.tools.service import FoundTools, ListedTool, ToolProblem

SERVER_PAGE = "/tools/mcp"


@dataclass(frozen=True, slots=True)
class McpDeps:
    """Dependencies of the MCP services, built by the container. `egress` is for addresses of people."""

    sessions: Sessions
    cipher: SecretCipher
    mask: SecretMask
    egress: EgressPolicy
    public_url: str = ""
    """The address of the dashboard in browsers; empty if it is not known."""
    client_document_url: str | None = None
    """Where authorization servers can read who this server is; None without an https address."""
    commands: CommandStarter = field(default_factory=NoCommands)


def make_keyring(cipher: SecretCipher, mask: SecretMask) -> Keyring:
    """Return what encrypts and masks the credentials of MCP servers."""
    return Keyring(cipher, mask, owners="mcp-server:")


class McpToolSource:
    """Finds the approved tools of MCP servers."""

    def __init__(self, cipher: SecretCipher, mask: SecretMask) -> None:
        self._keyring = make_keyring(cipher, mask)

    def owns(self, name: str) -> bool:
        return name.startswith(TOOL_PREFIX)

    async def find(self, session: AsyncSession, workspace_id: str, names: Collection[str]) -> FoundTools:
        """Return the binding of each approved tool, and why the others cannot be used."""
        references = {name: split_tool_reference(name) or ("", "") for name in names}
        slugs = sorted({slug for slug, _ in references.values()})
        servers = {
            row.name: row for row in await McpServerRepository(session).list_by_names(slugs, workspace_id)
        }
        tools = await McpToolRepository(session).list_of(list(servers.values()))
        by_name = {(tool.server_id, tool.name): tool for tool in tools}
        found = FoundTools()
        for reference, (slug, name) in references.items():
            server = servers.get(slug)
            tool = None if server is None else by_name.get((server.id, name))
            found.add(reference, self._bind(reference, server, tool))
        return found

    async def list(self, session: AsyncSession, workspace_id: str) -> Sequence[ListedTool]:
        """Return the tools that were approved at some time, by name."""
        servers = await McpServerRepository(session).list_all(workspace_id)
        by_id = {server.id: server for server in servers}
        tools = await McpToolRepository(session).list_of(servers)
        listed = [_list_tool(by_id[tool.server_id], tool) for tool in tools if tool.approved is not None]
        return sorted(listed, key=lambda tool: tool.name)

    def _bind(
        self, reference: str, server: McpServerRow | None, tool: McpToolRow | None
    ) -> ToolBinding | ToolProblem:
        problem = _find_problem(reference, server, tool)
        if problem is not None or server is None or tool is None:
            return problem or _unknown_server(reference)
        try:
            credential = self._keyring.decrypt(server.sealed_credential, server.workspace_id, server.id)
        except SecretUnreadable as error:
            return ToolProblem(reference, error.slug, error.detail, f"{SERVER_PAGE}/{server.id}")
        return make_tool_binding(reference, server, tool, credential)


def _find_problem(reference: str, server: McpServerRow | None, tool: McpToolRow | None) -> ToolProblem | None:
    """Return why a tool cannot be used, None if it can."""
    if server is None:
        return _unknown_server(reference)
    page = f"{SERVER_PAGE}/{server.id}"
    if not server.is_enabled:
        message = f"`{reference}` is not used: the MCP server {server.name} is switched off."
        return ToolProblem(reference, "mcp-server-off", message, page)
    state = McpToolState.GONE if tool is None else tool_state(tool)
    if state is not McpToolState.APPROVED:
        because = UNUSABLE_BECAUSE[state]
        message = f"`{reference}` is not used: {because}. Connect the server and review its tools."
        return ToolProblem(reference, f"mcp-tool-{state}", message, page)
    if server.auth == McpAuth.OAUTH and server.sealed_credential is None:
        message = f"`{reference}` is not used: the MCP server {server.name} is not authorized yet."
        return ToolProblem(reference, "mcp-not-authorized", message, page)
    return None


def _unknown_server(reference: str) -> ToolProblem:
    message = f"There is no MCP server for `{reference}`. Add it on the page of the MCP servers."
    return ToolProblem(reference, "mcp-server-unknown", message, SERVER_PAGE)


def _list_tool(server: McpServerRow, tool: McpToolRow) -> ListedTool:
    reference = make_tool_reference(server.name, tool.name)
    binding = make_tool_binding(reference, server, tool, None)
    return ListedTool(
        name=reference,
        kind=binding.kind,
        title=binding.title,
        description=binding.description,
        parameters=binding.parameters,
        effect=binding.effect,
        network=True,
        problem=_find_problem(reference, server, tool),
    )


class McpCredentials:
    """The stored credentials of all servers."""

    def __init__(self, session: AsyncSession, cipher: SecretCipher, mask: SecretMask) -> None:
        self._servers, self._keyring = McpServerRepository(session), make_keyring(cipher, mask)

    async def mask_stored(self) -> None:
        """Mask the stored credentials of all workspaces, and no others any more."""
        stored = await self._servers.list_credentials()
        for workspace_id, server_id, encrypted in stored:
            try:
                self._keyring.decrypt(encrypted, workspace_id, server_id)
            except SecretUnreadable:
                continue
        self._keyring.forget_all_but({server_id for _, server_id, _ in stored})
