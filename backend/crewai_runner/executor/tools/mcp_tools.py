"""Tools of MCP servers: their bindings, and the runner that calls them."""

import asyncio
import functools
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.domain.mcp_server import McpAuth, McpEra
from crewai_runner.executor.mcp.binding import McpServerBinding, make_credential_headers
from crewai_runner.executor.mcp.commands import CommandStarter
from crewai_runner.executor.mcp.failures import McpFailure
from crewai_runner.executor.mcp.listener import OnNotice
from crewai_runner.executor.mcp.session_pool import McpSessionPool
from crewai_runner.executor.mcp.tool_result import ToolFailed, read_tool_result
from crewai_runner.executor.tool_binding import ToolBinding
from crewai_runner.executor.tool_requests import ToolQuestion
from crewai_runner.executor.tools.progress import OnProgress, ToolProgress
from crewai_runner.executor.tools.runner import AskPerson, ToolCallFailed, ToolContext

CREDENTIAL = "credential"
"""The name of the credential among the secrets of a binding."""
_SPARE_SECONDS = 5.0
"""The caller's deadline comes first; this one is for a caller without one."""


def make_server_config(
    *,
    server_id: str,
    slug: str,
    url: str,
    auth: McpAuth,
    header_name: str | None,
    era: McpEra | None,
) -> dict[str, Any]:
    """Return what a binding says of its server, as plain values."""
    return {
        "server_id": server_id,
        "slug": slug,
        "url": url,
        "auth": str(auth),
        "header_name": header_name,
        "era": None if era is None else str(era),
    }


def read_server(
    config: Mapping[str, Any], credential: SecretStr | None, timeout_seconds: float
) -> McpServerBinding:
    """Return the server that `make_server_config` describes."""
    auth, era = McpAuth(config["auth"]), config["era"]
    return McpServerBinding(
        server_id=config["server_id"],
        slug=config["slug"],
        url=config["url"],
        headers=make_credential_headers(auth, config["header_name"], credential),
        era=None if era is None else McpEra(era),
        timeout_seconds=timeout_seconds,
    )


class McpTools:
    """Calls tools of MCP servers. The connections belong to a thread that starts with the first call."""

    def __init__(self, commands: CommandStarter | None = None) -> None:
        self._commands = commands
        self._pools: dict[EgressPolicy, McpSessionPool] = {}

    async def run(self, binding: ToolBinding, arguments: dict[str, Any], context: ToolContext) -> str:
        server = read_server(
            binding.config["server"],
            binding.secrets.get(CREDENTIAL),
            binding.timeout_seconds + _SPARE_SECONDS,
        )
        policy = context.egress.connections
        try:
            if server.command_name is None:
                await policy.check_url(server.url)
            return read_tool_result(await self._call(policy, server, binding, arguments, context))
        except UrlRefused as error:
            raise ToolCallFailed(error.detail) from error
        except ToolFailed as error:
            raise ToolCallFailed(str(error)) from error
        except McpFailure as failure:
            doubt = " It may have taken effect: check before you repeat it." if failure.may_have_run else ""
            raise ToolCallFailed(f"{failure}{doubt}") from failure

    async def _call(
        self,
        policy: EgressPolicy,
        server: McpServerBinding,
        binding: ToolBinding,
        arguments: dict[str, Any],
        context: ToolContext,
    ) -> dict[str, Any]:
        """Call the tool in the thread of the connections; cancelling cancels it there."""
        tool, digest = binding.config["tool"], binding.config["digest"]
        on_notice = None if context.on_progress is None else _pass_notices_to(context.on_progress)
        questions = None if context.ask_person is None else _Questions(context.ask_person)
        on_question = None if questions is None else questions.ask
        work = self._pool(policy).call(server, tool, digest, arguments, on_notice, on_question)
        call = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _connection_loop()))
        if questions is None:
            return await call
        return await questions.await_call(call)

    def _pool(self, policy: EgressPolicy) -> McpSessionPool:
        # Runs share connections whatever hosts their workflows allow: that was checked before.
        shared = replace(policy, allowed_hosts=None)
        return self._pools.setdefault(shared, McpSessionPool(shared, self._commands))


class _Questions:
    """Asks a person in the event loop of the call; what ends the waiting ends the call at the server."""

    def __init__(self, ask_person: AskPerson) -> None:
        self._ask_person = ask_person
        self._loop = asyncio.get_running_loop()
        self._call: asyncio.Future[dict[str, Any]] | None = None
        self._failure: BaseException | None = None

    async def ask(self, question: ToolQuestion) -> dict[str, Any] | None:
        """Called in the event loop of the connections."""
        asked = asyncio.run_coroutine_threadsafe(self._ask(question), self._loop)
        return await asyncio.wrap_future(asked)

    async def await_call(self, call: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
        self._call = call
        try:
            return await call
        except asyncio.CancelledError:
            if self._failure is not None:
                raise self._failure from None
            raise

    async def _ask(self, question: ToolQuestion) -> dict[str, Any] | None:
        try:
            return await self._ask_person(question)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._failure = error
            if self._call is not None:
                self._call.cancel()
            raise asyncio.CancelledError from error


def _pass_notices_to(on_progress: OnProgress) -> OnNotice:
    return lambda notice: on_progress(ToolProgress(notice.text, notice.progress, notice.total))


@functools.cache
def _connection_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop of all connections of this process, in a daemon thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="mcp-connections", daemon=True).start()
    return loop
