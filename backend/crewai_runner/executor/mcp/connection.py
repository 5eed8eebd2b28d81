"""The connection to one MCP server, in either era of the protocol."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx

from crewai_runner.core.answer_limits import MEGABYTE, AnswerLimits
from crewai_runner.core.egress import EgressPolicy, UrlRefused, guarded_client
from crewai_runner.domain.mcp_server import McpEra
from crewai_runner.domain.mcp_tools import MAX_TOOLS, McpTool, read_tools
from crewai_runner.executor.mcp import wire
from crewai_runner.executor.mcp.binding import McpServerBinding
from crewai_runner.executor.mcp.commands import CommandStarter, NoCommands
from crewai_runner.executor.mcp.exchange import Exchange, Message
from crewai_runner.executor.mcp.failures import (
    InputRequired,
    ListTooLarge,
    McpFailure,
    RequestRejected,
    ServerUnreachable,
    WrongEra,
)
from crewai_runner.executor.mcp.http_exchange import HttpExchange, Trace, find_rejection
from crewai_runner.executor.mcp.listener import OnNotice, RequestListener
from crewai_runner.executor.mcp.questions import MAX_QUESTIONS, CallQuestions, OnQuestion
from crewai_runner.executor.mcp.stdio_exchange import StdioExchange

CONNECT_SECONDS = 10.0
MAX_PAGES = 20
LIMITS = AnswerLimits(max_bytes=8 * MEGABYTE, max_line_bytes=8 * MEGABYTE)
MAX_CURSOR_LENGTH = 4096
_Opening = Callable[[], Awaitable[McpEra]]


class McpConnection:
    """Speaks to one server. Belongs to one event loop; requests may run in parallel. Call `open` first."""

    def __init__(
        self,
        binding: McpServerBinding,
        egress: EgressPolicy,
        trace: Trace | None = None,
        commands: CommandStarter | None = None,
    ) -> None:
        self._binding = binding
        self._exchange = _make_exchange(binding, egress, trace, commands or NoCommands())
        self._ids = itertools.count(1)
        self._session_id: str | None = None
        self._version: str | None = None
        self._cancellations: set[asyncio.Task[None]] = set()
        self.era = binding.era

    async def open(self) -> McpEra:
        """Agree with the server on an era, beginning with the known one. Raises McpFailure, UrlRefused."""
        async with _deadline(CONNECT_SECONDS * 2, self._exchange.host):
            await self._exchange.open()
            if self.era is McpEra.HANDSHAKE:
                return await self._open_or_try(self._initialize, self._discover)
            return await self._open_or_try(self._discover, self._initialize)

    async def _open_or_try(self, first: _Opening, second: _Opening) -> McpEra:
        try:
            return await first()
        except (WrongEra, RequestRejected) as failure:
            try:
                return await second()
            except (WrongEra, RequestRejected) as other:
                reason = str(other).rstrip(".")
                raise ServerUnreachable(f"{reason}. It may not be the address of an MCP server.") from failure

    async def list_tools(self) -> list[McpTool]:
        """Return the server's tools. Raises McpFailure; ListTooLarge beyond 20 pages or 256 tools."""
        async with _deadline(CONNECT_SECONDS * 2, self._exchange.host):
            return read_tools(await self._list_pages("tools/list", "tools"))

    async def list_entries(self, method: str, member: str) -> list[object]:
        """Return the entries of another list of the server, as it sends them. Raises like `list_tools`."""
        async with _deadline(CONNECT_SECONDS * 2, self._exchange.host):
            return await self._list_pages(method, member)

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any],
        on_notice: OnNotice | None = None,
        on_question: OnQuestion | None = None,
    ) -> dict[str, Any]:
        """Call a tool and return its result as the server sent it.

        `on_question` asks a person what the server wants to know; without it every question is declined.

        Cancelling, and the end of the binding's `timeout_seconds`, cancel the call at the server.
        Raises McpFailure; only with `may_have_run` false may the call be sent again.
        """
        params = {"name": name, "arguments": dict(arguments)}
        seconds, host = self._binding.timeout_seconds, self._exchange.host
        async with _deadline(seconds, host, may_have_run=True) as limit:
            questions = CallQuestions(on_question, limit)
            for _ in range(MAX_QUESTIONS + 1):
                result = await self.request("tools/call", params, on_notice, questions)
                if result.get("resultType") != "input_required":
                    return result
                answers = await questions.answer_all(result, host)
                params = {"name": name, "arguments": dict(arguments)} | answers
            raise InputRequired(f"{host} does not stop asking questions.")

    async def request(
        self,
        method: str,
        params: Mapping[str, Any],
        on_notice: OnNotice | None = None,
        questions: CallQuestions | None = None,
    ) -> dict[str, Any]:
        """Send a request and return its result. Raises McpFailure, UrlRefused."""
        assert self.era is not None  # noqa: S101
        return await self._send(self.era, method, params, on_notice, questions)

    async def close(self) -> None:
        """End the session and close the connection."""
        if self._cancellations:
            await asyncio.wait(self._cancellations, timeout=1)
        if self._session_id is not None:
            headers = {"mcp-session-id": self._session_id, "mcp-protocol-version": self._version or ""}
            await self._exchange.end_session(headers)
        await self._exchange.close()

    # Eras

    async def _discover(self) -> McpEra:
        result = await self._send(McpEra.STATELESS, "server/discover", {})
        versions = result.get("supportedVersions")
        if not isinstance(versions, list) or wire.STATELESS_VERSION not in versions:
            raise WrongEra(f"{self._exchange.host} does not speak version {wire.STATELESS_VERSION}.")
        self.era = McpEra.STATELESS
        return self.era

    async def _initialize(self) -> McpEra:
        self._session_id = self._version = None
        params = {
            "protocolVersion": wire.HANDSHAKE_VERSION,
            "capabilities": dict(wire.CAPABILITIES),
            "clientInfo": dict(wire.CLIENT),
        }
        result = await self._send(McpEra.HANDSHAKE, "initialize", params)
        version = result.get("protocolVersion")
        if version not in wire.HANDSHAKE_VERSIONS:
            raise WrongEra(f"{self._exchange.host} offers a version that is not known.")
        self.era, self._version = McpEra.HANDSHAKE, str(version)
        await self._notify(wire.make_notification("notifications/initialized"))
        return self.era

    # Messages

    async def _list_pages(self, method: str, member: str) -> list[object]:
        entries: list[object] = []
        cursor, seen = None, set[str]()
        for _ in range(MAX_PAGES):
            result = await self.request(method, {} if cursor is None else {"cursor": cursor})
            page = result.get(member)
            if not isinstance(page, list):
                raise ServerUnreachable(f"{self._exchange.host} sent a list without `{member}`.")
            entries += page
            cursor = result.get("nextCursor")
            if not cursor:
                break
            if not isinstance(cursor, str) or cursor in seen or len(cursor) > MAX_CURSOR_LENGTH:
                raise ListTooLarge(f"{self._exchange.host} repeats the pages of its list.")
            seen.add(cursor)
        else:
            raise ListTooLarge(f"{self._exchange.host} lists more than {MAX_PAGES} pages.")
        if len(entries) > MAX_TOOLS:
            raise ListTooLarge(f"{self._exchange.host} lists more than {MAX_TOOLS} entries.")
        return entries

    async def _send(
        self,
        era: McpEra,
        method: str,
        params: Mapping[str, Any],
        on_notice: OnNotice | None = None,
        questions: CallQuestions | None = None,
    ) -> dict[str, Any]:
        request_id = next(self._ids)
        request = wire.make_request(era, request_id, method, params, wants_progress=on_notice is not None)
        listener = RequestListener(self._send_quietly, on_notice, questions)
        try:
            answer, headers = await self._exchange.ask(
                request, self._headers(era, request), listener.on_message
            )
        except asyncio.CancelledError:
            self._cancel_at_server(era, request_id, method)
            raise
        except McpFailure as failure:
            rejection = find_rejection(failure)
            if rejection is None:
                raise
            answer, headers = rejection, httpx.Headers()
        finally:
            listener.close()
        if method == "initialize":
            self._session_id = headers.get("mcp-session-id")
        return wire.read_result(answer, self._exchange.host)

    def _cancel_at_server(self, era: McpEra, request_id: int, method: str) -> None:
        """In the stateless era the closed request says it over HTTP; else a message does."""
        if method == "initialize" or (era is McpEra.STATELESS and self._exchange.cancels_by_closing):
            return
        params = {"requestId": request_id, "reason": "The caller has stopped."}
        task = asyncio.create_task(
            self._send_quietly(wire.make_notification("notifications/cancelled", params))
        )
        self._cancellations.add(task)
        task.add_done_callback(self._cancellations.discard)

    async def _send_quietly(self, message: Message) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._notify(message)
        except (McpFailure, UrlRefused, TimeoutError):
            return

    async def _notify(self, message: Message) -> None:
        await self._exchange.send(message, self._headers(McpEra.HANDSHAKE, message))

    def _headers(self, era: McpEra, message: Message) -> dict[str, str]:
        return wire.make_headers(era, message, version=self._version, session_id=self._session_id)


def _make_exchange(
    binding: McpServerBinding, egress: EgressPolicy, trace: Trace | None, commands: CommandStarter
) -> Exchange:
    if (name := binding.command_name) is not None:
        return StdioExchange(name, commands)
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
    client = guarded_client(replace(egress, limits=LIMITS), timeout=timeout)
    headers = {name: value.get_secret_value() for name, value in binding.headers.items()}
    return HttpExchange(client, binding.url, headers, trace)


@contextlib.asynccontextmanager
async def _deadline(
    seconds: float, host: str, *, may_have_run: bool = False
) -> AsyncIterator[asyncio.Timeout]:
    try:
        async with asyncio.timeout(seconds) as limit:
            yield limit
    except TimeoutError as error:
        raise ServerUnreachable(
            f"{host} did not answer within {seconds:g} seconds.", may_have_run=may_have_run
        ) from error
