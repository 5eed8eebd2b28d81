"""Builds what finds and calls tools in one process."""

from collections.abc import Callable, Mapping

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions
from crewai_runner.executor.tools.runner import ToolEgress
from crewai_runner.executor.tools.runners import make_runners
from crewai_runner.features.apis.service import HttpApiSource
from crewai_runner.features.connections.service import ConnectionDeps
from crewai_runner.features.mcp.oauth.client_document import find_document_url
from crewai_runner.features.mcp.service import McpDeps, McpToolSource
from crewai_runner.features.tools.builtin_source import BuiltinSource
from crewai_runner.features.tools.service import ToolDeps, ToolRegistry
from crewai_runner.http.version_alias import LATEST_VERSION
from crewai_runner.wiring.adapters import make_mcp_commands, make_tool_egress


class ToolParts:
    """The registry of tools and the connections. Every source of tools is listed here."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        cipher: SecretCipher,
        mask: SecretMask,
        egress: EgressPolicy,
    ) -> None:
        self.connections = ConnectionDeps(cipher, mask, egress)
        self.registry = ToolRegistry(
            [BuiltinSource(self.connections), McpToolSource(cipher, mask), HttpApiSource(self.connections)]
        )
        commands = make_mcp_commands(settings)
        runners = make_runners(commands)
        pages = make_tool_egress(settings)
        self.deps = ToolDeps(sessions, self.registry, runners, ToolEgress(pages, egress), mask)
        self._mcp = McpDeps(
            sessions,
            cipher,
            mask,
            egress,
            public_url=settings.public_url,
            client_document_url=find_document_url(
                settings.public_url, f"{settings.api_base_url}/{LATEST_VERSION}"
            ),
            commands=commands,
        )

    @property
    def factories(self) -> Mapping[type, Callable[[], object]]:
        """The dependencies of the features, by their type."""
        return {
            ConnectionDeps: lambda: self.connections,
            ToolDeps: lambda: self.deps,
            McpDeps: lambda: self._mcp,
        }
