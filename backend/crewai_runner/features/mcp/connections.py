"""Connects to MCP servers stage by stage. No database connection is held while waiting for a server."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import read_session
from crewai_runner.domain.mcp_server import McpEra
from crewai_runner.domain.mcp_tools import McpTool, clean_text
from crewai_runner.executor.mcp.binding import McpServerBinding
from crewai_runner.executor.mcp.commands import CommandStarter
from crewai_runner.executor.mcp.connection import McpConnection
from crewai_runner.executor.mcp.failures import CredentialsRefused, McpFailure
from crewai_runner.executor.tools.mcp_tools import read_server
from crewai_runner.features.mcp.repository import McpServerRepository, McpToolRepository
from crewai_runner.features.mcp.rules import make_config
from crewai_runner.features.mcp.schemas import McpConnectionReport, McpStage
from crewai_runner.features.mcp.service import McpDeps, make_keyring
from crewai_runner.features.mcp.tool_reviews import store_listed

LIMIT_SECONDS = 25.0
MAX_MESSAGE_LENGTH = 500
_STAGES_BY_TRACE_EVENT = {
    "connection.connect_tcp.started": McpStage.CONNECT,
    "connection.start_tls.started": McpStage.TLS,
}


@dataclass(slots=True)
class _Progress:
    """The stage that a connection has reached; httpx's trace events report the first ones."""

    started: float = field(default_factory=time.perf_counter)
    stage: McpStage = McpStage.DNS

    async def on_trace(self, event: str, _details: object) -> None:
        if self.stage in (McpStage.DNS, McpStage.CONNECT, McpStage.TLS):
            at_request = event.endswith(".send_request_headers.started")
            self.stage = McpStage.INITIALIZE if at_request else _STAGES_BY_TRACE_EVENT.get(event, self.stage)

    def report(self, message: str) -> McpConnectionReport:
        return McpConnectionReport(
            ok=self.stage is McpStage.DONE,
            stage=self.stage,
            latency_ms=round((time.perf_counter() - self.started) * 1000),
            message=clean_text(message, MAX_MESSAGE_LENGTH),
            at=now(),
        )


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """What a connection found; `tools` is None when the list was not read."""

    report: McpConnectionReport
    era: McpEra | None = None
    tools: Sequence[McpTool] | None = None


class McpConnector:
    """Connects to the servers of the caller's workspace."""

    def __init__(self, deps: McpDeps, *, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._deps, self._limit = deps, limit_seconds

    async def connect(self, principal: Principal, server_id: str) -> McpConnectionReport:
        """Connect to a server and store its list of tools. Failures of the server are reported, not raised.

        Raises McpServerNotFound, SecretUnreadable.
        """
        binding = await load_server(self._deps, principal, server_id)
        result = await connect_server(
            binding, self._deps.egress, self._deps.commands, limit_seconds=self._limit
        )
        mask = make_credential_mask(binding)
        report = result.report.model_copy(update={"message": mask(result.report.message)})
        async with audited_unit_of_work(self._deps.sessions) as session:
            servers, tools = McpServerRepository(session), McpToolRepository(session)
            row = await servers.get_for_update(server_id, principal.workspace_id)
            if row.url != binding.url:
                return report
            row.last_connection = report.model_dump(mode="json")
            row.era = None if result.era is None else result.era.value
            if result.tools is not None:
                for gone in store_listed(tools, row, await tools.lock_all(row), result.tools):
                    await tools.delete(gone)
        return report


def make_credential_mask(binding: McpServerBinding) -> TextMask:
    """Return what hides the credential of a server, with and without the scheme before it."""
    values = [value.get_secret_value() for value in binding.headers.values()]
    return TextMask([*values, *(value.partition(" ")[2] for value in values)])


async def load_server(deps: McpDeps, principal: Principal, server_id: str) -> McpServerBinding:
    """Return a server of the caller's workspace. Raises McpServerNotFound, SecretUnreadable."""
    async with read_session(deps.sessions) as session:
        row = await McpServerRepository(session).get(server_id, principal.workspace_id)
        keyring = make_keyring(deps.cipher, deps.mask)
        credential = keyring.decrypt(row.sealed_credential, row.workspace_id, row.id)
        return read_server(make_config(row), credential, float(row.timeout_seconds))


async def connect_server(
    binding: McpServerBinding,
    egress: EgressPolicy,
    commands: CommandStarter | None = None,
    *,
    limit_seconds: float = LIMIT_SECONDS,
) -> ConnectionResult:
    """Open a connection of its own, read the list of tools, and close it."""
    progress = _Progress()
    connection = McpConnection(binding, egress, progress.on_trace, commands)
    try:
        async with asyncio.timeout(limit_seconds):
            if binding.command_name is None:
                await egress.check_url(binding.url)
            else:
                progress.stage = McpStage.CONNECT
            era = await connection.open()
            progress.stage = McpStage.TOOLS
            tools = await connection.list_tools()
    except CredentialsRefused as failure:
        progress.stage = McpStage.AUTH
        return ConnectionResult(progress.report(str(failure)))
    except (McpFailure, UrlRefused) as failure:
        return ConnectionResult(progress.report(str(failure)), connection.era)
    except TimeoutError:
        return ConnectionResult(progress.report(f"The server took more than {limit_seconds:g} seconds."))
    finally:
        await connection.close()
    progress.stage = McpStage.DONE
    return ConnectionResult(progress.report(_summarize(tools)), era, tools)


def _summarize(tools: Sequence[McpTool]) -> str:
    unusable = sum(tool.problem is not None for tool in tools)
    count = f"{len(tools)} tool{'' if len(tools) == 1 else 's'}"
    return f"Connected: {count}, {unusable} of them unusable." if unusable else f"Connected: {count}."
