"""Resources and prompts of MCP servers, read for a person who looks at them. Nothing is stored."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeVar

from crewai_runner.core.egress import UrlRefused
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.mcp_tools import clean_text
from crewai_runner.executor.mcp.connection import McpConnection
from crewai_runner.executor.mcp.contents import list_contents, read_resource
from crewai_runner.executor.mcp.failures import McpFailure
from crewai_runner.features.mcp.connections import (
    LIMIT_SECONDS,
    MAX_MESSAGE_LENGTH,
    load_server,
    make_credential_mask,
)
from crewai_runner.features.mcp.schemas import McpResourceContent, McpServerContents
from crewai_runner.features.mcp.service import McpDeps

_Read = TypeVar("_Read")


class McpContentReader:
    """Reads from the servers of the caller's workspace, over a connection of its own each time."""

    def __init__(self, deps: McpDeps) -> None:
        self._deps = deps

    async def list_all(self, principal: Principal, server_id: str) -> McpServerContents:
        """List resources and prompts; failures of the server are reported, not raised.

        Raises McpServerNotFound, SecretUnreadable.
        """
        found, problem, mask = await self._read(principal, server_id, list_contents)
        if found is None:
            return McpServerContents(problem=problem)
        return McpServerContents.model_validate(_mask(asdict(found), mask))

    async def read(self, principal: Principal, server_id: str, uri: str) -> McpResourceContent:
        """Read the beginning of a resource; raises like `list_all`."""
        found, problem, mask = await self._read(
            principal, server_id, lambda connection: read_resource(connection, uri)
        )
        if found is None:
            return McpResourceContent(problem=problem)
        return McpResourceContent.model_validate(_mask(asdict(found), mask))

    async def _read(
        self, principal: Principal, server_id: str, read: Callable[[McpConnection], Awaitable[_Read]]
    ) -> tuple[_Read | None, str | None, TextMask]:
        """Return what was read, or why not, and what hides the credential of the server."""
        binding = await load_server(self._deps, principal, server_id)
        mask = make_credential_mask(binding)
        connection = McpConnection(binding, self._deps.egress, commands=self._deps.commands)
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                if binding.command_name is None:
                    await self._deps.egress.check_url(binding.url)
                await connection.open()
                return await read(connection), None, mask
        except TimeoutError:
            return None, f"The server took more than {LIMIT_SECONDS:g} seconds.", mask
        except (McpFailure, UrlRefused) as failure:
            return None, clean_text(mask(str(failure)), MAX_MESSAGE_LENGTH), mask
        finally:
            await connection.close()


def _mask(value: object, mask: TextMask) -> object:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _mask(inner, mask) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(inner, mask) for inner in value]
    return value
