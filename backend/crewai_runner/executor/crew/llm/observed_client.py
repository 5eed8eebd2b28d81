"""Observes the requests of a model's HTTP client: each one is counted before it is sent.

The provider's figures are read from the answer's bytes, so that they are known even if the answer is cut
short or cannot be read otherwise.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

from crewai_runner.executor.crew.context.background_loop import background_loop
from crewai_runner.executor.crew.context.run_context import CallScope, current_call, current_run

_HAS_FIGURES = re.compile(rb'"usage(?:Metadata)?"\s*:\s*\{')
_MAX_SCANNED_LINE = 256 * 1024
_MAX_SCANNED_JSON = 16 * 1024 * 1024
_NAMES = {
    "promptTokenCount": "prompt_token_count",
    "candidatesTokenCount": "candidates_token_count",
    "totalTokenCount": "total_token_count",
    "cachedContentTokenCount": "cached_tokens",
}


async def count_request(_request: httpx.Request) -> None:
    """Count a request of the current run. Raises AttemptEnded when it may not be sent."""
    if (run := current_run.get()) is not None:
        await run.wait_until_admitted()
        run.count_request(current_call.get() or CallScope(is_observed=True))
        await run.wait_until_counted()


def count_blocking_request(_request: httpx.Request) -> None:
    """`count_request` for a client without an event loop."""
    if (run := current_run.get()) is not None:
        run.run_blocking(run.wait_until_admitted(), background_loop())
        run.count_request(current_call.get() or CallScope(is_observed=True))
        run.run_blocking(run.wait_until_counted(), background_loop())


def observe_response(response: httpx.Response) -> None:
    """Note the status, and the usage that the answer reports, in the current call."""
    scope = current_call.get()
    if scope is None:
        return
    scope.status = response.status_code
    if not response.is_success:
        return
    is_stream = "json" not in response.headers.get("content-type", "")
    scanner = UsageScanner(lambda usage: _note_usage(scope, usage), by_line=is_stream)
    if isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = _ObservedStream(response.stream, scanner)
    elif isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _ObservedBlockingStream(response.stream, scanner)


def _note_usage(scope: CallScope, usage: dict[str, Any]) -> None:
    scope.usage = {**(scope.usage or {}), **usage}


class UsageScanner:
    """Finds the figures in an answer while it is read: in each line of a stream, or in one JSON document."""

    def __init__(self, on_usage: Callable[[dict[str, Any]], None], *, by_line: bool) -> None:
        self._on_usage = on_usage
        self._limit = _MAX_SCANNED_LINE if by_line else _MAX_SCANNED_JSON
        self._by_line = by_line
        self._pieces: list[bytes] = []
        self._length = 0

    def feed(self, data: bytes) -> None:
        if not self._by_line:
            self._keep(data)
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._keep(line)
            self.finish()
        self._keep(rest)

    def finish(self) -> None:
        """Read the line or document that is complete now."""
        text = b"".join(self._pieces) if self._length <= self._limit else b""
        self._pieces, self._length = [], 0
        if _HAS_FIGURES.search(text):
            for usage in _find_usage(text.removeprefix(b"data:")):
                self._on_usage(usage)

    def _keep(self, data: bytes) -> None:
        self._length += len(data)
        if self._length <= self._limit:
            self._pieces.append(data)
        else:
            self._pieces.clear()


def _find_usage(text: bytes) -> Iterator[dict[str, Any]]:
    """Yield the figures at the places where the protocols put them; none for text that is not JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    for outer in (document, *_members(document, "message", "response")):
        for figures in _members(outer, "usage", "usageMetadata"):
            yield {_NAMES.get(name, name): value for name, value in figures.items() if value is not None}


def _members(value: Any, *names: str) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        return []
    return [member for name in names if isinstance(member := value.get(name), dict)]


class _ObservedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, scanner: UsageScanner) -> None:
        self._stream = stream
        self._scanner = scanner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                self._scanner.feed(chunk)
                yield chunk
        finally:
            self._scanner.finish()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _ObservedBlockingStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, scanner: UsageScanner) -> None:
        self._stream = stream
        self._scanner = scanner

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._stream:
                self._scanner.feed(chunk)
                yield chunk
        finally:
            self._scanner.finish()

    def close(self) -> None:
        self._stream.close()
