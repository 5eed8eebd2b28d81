"""One message to an MCP server over streamable HTTP, and what the server sends while it answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.core.egress import UrlRefused
from crewai_runner.executor.mcp.exchange import Message, OnMessage
from crewai_runner.executor.mcp.failures import (
    CredentialsRefused,
    McpFailure,
    ServerBusy,
    ServerUnreachable,
    SessionEnded,
    WrongEra,
)
from crewai_runner.executor.mcp.wire import is_answer

Trace = Callable[[str, Any], Awaitable[None]]
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL)
MAX_ERROR_BYTES = 64 * 1024


class HttpExchange:
    """An Exchange with the address of one server. `headers` carry its credential, on every request."""

    cancels_by_closing = True

    def __init__(
        self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str], trace: Trace | None = None
    ) -> None:
        self._client, self._url, self._headers = client, url, dict(headers)
        self.host = httpx.URL(url).host
        self._extensions = {} if trace is None else {"trace": trace}

    async def ask(
        self, request: Message, headers: Mapping[str, str], on_message: OnMessage
    ) -> tuple[Message, httpx.Headers]:
        """Send a request and return its answer, with the headers; `on_message` gets all before it.

        Cancelling closes the request. Raises McpFailure, and UrlRefused for an address that is not allowed.
        """
        request_id = int(request["id"])
        try:
            async with self._client.stream(
                "POST", self._url, json=request, headers=self._merge(headers), extensions=self._extensions
            ) as response:
                await self._check_status(response, request_id, "mcp-session-id" in headers)
                async for message in self._read_messages(response):
                    if is_answer(message, request_id):
                        return message, response.headers
                    await on_message(message)
        except _NOT_SENT as error:
            raise ServerUnreachable(f"{self.host} could not be reached: {_describe(error)}") from error
        except (httpx.HTTPError, SSEError) as error:
            message_text = f"The connection to {self.host} failed: {_describe(error)}"
            raise ServerUnreachable(message_text, may_have_run=True) from error
        raise ServerUnreachable(f"{self.host} ended its answer without a result.", may_have_run=True)

    async def send(self, message: Message, headers: Mapping[str, str]) -> None:
        """Send a notification or a reply, which has no answer. Raises like `ask`."""
        try:
            async with self._client.stream(
                "POST", self._url, json=message, headers=self._merge(headers)
            ) as response:
                if response.status_code >= 400:
                    raise ServerUnreachable(f"{self.host} answered with HTTP {response.status_code}.")
        except httpx.HTTPError as error:
            raise ServerUnreachable(f"The connection to {self.host} failed: {_describe(error)}") from error

    async def open(self) -> None:
        """Nothing to do: the first request connects."""

    async def close(self) -> None:
        await self._client.aclose()

    async def end_session(self, headers: Mapping[str, str]) -> None:
        """Ask the server to end the session, for at most a second."""
        try:
            async with asyncio.timeout(1):
                await self._client.delete(self._url, headers=self._merge(headers))
        except (httpx.HTTPError, UrlRefused, TimeoutError):
            return

    def _merge(self, headers: Mapping[str, str]) -> dict[str, str]:
        # The protocol's headers come last: the configured one cannot replace them.
        return self._headers | dict(headers)

    async def _check_status(self, response: httpx.Response, request_id: int, in_session: bool) -> None:
        status = response.status_code
        if response.is_success and status != 202:
            return
        if response.has_redirect_location:
            target = response.request.url.join(response.headers["location"])
            raise ServerUnreachable(
                f"{self.host} redirects to {target.scheme}://{target.netloc.decode('ascii', 'replace')}"
                f"{target.path}. Credentials are not sent on: enter the final address."
            )
        if status in (401, 403):
            problem = (
                "requires other credentials" if status == 401 else "refuses access with these credentials"
            )
            raise CredentialsRefused(f"{self.host} {problem} (HTTP {status}).")
        if status == 404 and in_session:
            raise SessionEnded(f"{self.host} has ended the session.")
        if status in (429, 503):
            raise ServerBusy(f"{self.host} is busy (HTTP {status}).", _read_retry_after(response))
        if status < 500:
            answer = await self._read_error(response)
            if answer is not None and is_answer(answer, request_id):
                raise _RejectedWithStatus(answer)
            raise WrongEra(f"{self.host} answered with HTTP {status}.")
        raise ServerUnreachable(f"{self.host} failed with HTTP {status}.", may_have_run=True)

    async def _read_error(self, response: httpx.Response) -> Message | None:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > MAX_ERROR_BYTES:
                return None
        try:
            message = parse_json(bytes(body))
        except ValueError:
            return None
        return message if isinstance(message, dict) and "error" in message else None

    async def _read_messages(self, response: httpx.Response) -> AsyncIterator[Message]:
        content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == "text/event-stream":
            async with aclosing(EventSource(response).aiter_sse()) as events:
                async for event in events:
                    if event.event == "message" and event.data:
                        yield self._parse(event.data)
        elif content_type == "application/json":
            yield self._parse(await response.aread())
        else:
            kind = content_type[:100] or "no content type"
            raise ServerUnreachable(f"{self.host} answered with {kind}: it is not an MCP server.")

    def _parse(self, text: str | bytes) -> Message:
        try:
            message = parse_json(text)
        except ValueError as error:
            raise ServerUnreachable(f"{self.host} sent invalid JSON.", may_have_run=True) from error
        if not isinstance(message, dict):
            raise ServerUnreachable(f"{self.host} sent something other than a message.", may_have_run=True)
        return message


class _RejectedWithStatus(McpFailure):
    """An error of the protocol that came with an HTTP status; `answer` is the message."""

    def __init__(self, answer: Message) -> None:
        super().__init__("rejected")
        self.answer = answer


def find_rejection(failure: McpFailure) -> Message | None:
    """Return the error message that a server sent with an HTTP status, None for other failures."""
    return failure.answer if isinstance(failure, _RejectedWithStatus) else None


def _describe(error: Exception) -> str:
    return str(error) or type(error).__name__


def _read_retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdecimal() and len(text) < 6 else None
