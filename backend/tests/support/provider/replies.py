"""Replies of the scripted provider: text, tool calls, and failures of several kinds."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Protocol

from tests.support.provider.chat_call import ChatCall, error_body, usage

ARGUMENT_CHUNK_LENGTH = 24


class Reply(Protocol):
    """Sends itself as the response of a call; cancelled when the client disconnects."""

    async def send(self, chat: ChatCall) -> None: ...


@dataclass(frozen=True)
class Usage:
    """Reported usage in tokens, in place of the number of words."""

    prompt: int
    completion: int
    cached: int = 0

    def as_json(self) -> dict[str, Any]:
        return usage(self.prompt, self.completion, self.cached)


@dataclass(frozen=True)
class Say:
    """A text response.

    ``chunks`` are the streamed chunks (default: the words of the text); ``delay`` is the delay in seconds
    before the first byte (None: the provider's), ``chunk_delay`` before each chunk. ``stamp`` appends the
    time of sending to each chunk. ``report_usage=False`` omits the usage.
    """

    text: str = ""
    chunks: Sequence[str] | None = None
    delay: float | None = None
    chunk_delay: float = 0.0
    usage: Usage | None = None
    report_usage: bool = True
    stamp: bool = False

    async def send(self, chat: ChatCall) -> None:
        await chat.wait_delay(self.delay)
        chunks = list(self.chunks) if self.chunks is not None else re.findall(r"\S+\s*|\s+", self.text)
        text = self.text or "".join(chunks)
        reported = _reported_usage(chat, text, self.usage, self.report_usage)
        if not chat.is_streaming:
            chat.send_completion({"content": text}, "stop", reported)
            return
        await chat.send_deltas([{"content": chunk} for chunk in chunks], self.chunk_delay, self.stamp)
        chat.end_stream("stop", reported)


@dataclass(frozen=True)
class CallTools:
    """Native tool calls: pairs of name and arguments (an object, or JSON text that may be malformed)."""

    calls: Sequence[tuple[str, str | dict[str, Any]]]
    text: str | None = None
    delay: float | None = None
    usage: Usage | None = None

    async def send(self, chat: ChatCall) -> None:
        await chat.wait_delay(self.delay)
        calls = [self._call(chat, index) for index in range(len(self.calls))]
        reported = _reported_usage(chat, self.text or "tool", self.usage, report=True)
        if not chat.is_streaming:
            chat.send_completion({"content": self.text, "tool_calls": calls}, "tool_calls", reported)
            return
        deltas = [delta for index, call in enumerate(calls) for delta in _tool_deltas(index, call)]
        await chat.send_deltas(deltas)
        chat.end_stream("tool_calls", reported)

    def _call(self, chat: ChatCall, index: int) -> dict[str, Any]:
        name, arguments = self.calls[index]
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call_id = f"call_{chat.record.number}_{index}"
        return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


def _tool_deltas(index: int, call: dict[str, Any]) -> list[dict[str, Any]]:
    arguments = call["function"]["arguments"]
    chunks = [
        arguments[start : start + ARGUMENT_CHUNK_LENGTH]
        for start in range(0, len(arguments), ARGUMENT_CHUNK_LENGTH)
    ]
    opening = {"index": index, **call, "function": {"name": call["function"]["name"], "arguments": ""}}
    rest = [{"index": index, "function": {"arguments": chunk}} for chunk in chunks]
    return [{"tool_calls": [delta]} for delta in (opening, *rest)]


@dataclass(frozen=True)
class Fail:
    """An error status. ``retry_after`` sets the header in seconds; ``body`` replaces OpenAI's error body."""

    status: int
    message: str = "The scripted provider refuses."
    retry_after: float | None = None
    body: Any = None
    delay: float | None = 0.0

    async def send(self, chat: ChatCall) -> None:
        await chat.wait_delay(self.delay)
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        chat.send_json(
            self.status, error_body(self.status, self.message) if self.body is None else self.body, headers
        )


@dataclass(frozen=True)
class Garbage:
    """Status 200 with an HTML page, as from a proxy or a wrong base URL."""

    html: str = "<html><body>Welcome</body></html>"

    async def send(self, chat: ChatCall) -> None:
        chat.send_text(200, "text/html", self.html)


@dataclass(frozen=True)
class Body:
    """Status 200 with any body, such as a stream that breaks the protocol."""

    text: str
    content_type: str = "text/event-stream"

    async def send(self, chat: ChatCall) -> None:
        chat.send_text(200, self.content_type, self.text)


@dataclass(frozen=True)
class Empty:
    """A valid response with empty text."""

    async def send(self, chat: ChatCall) -> None:
        await Say("", chunks=()).send(chat)


@dataclass(frozen=True)
class Hang:
    """No response; closes the socket after ``seconds`` (None: never)."""

    seconds: float | None = None

    async def send(self, chat: ChatCall) -> None:
        await _wait(self.seconds)
        chat.disconnect()


@dataclass(frozen=True)
class HangMidStream:
    """The first chunks, then nothing; closes the socket after ``seconds`` (None: never)."""

    first_chunks: Sequence[str] = ("Once ", "upon ")
    seconds: float | None = None

    async def send(self, chat: ChatCall) -> None:
        await _send_first_chunks(chat, self.first_chunks)
        await _wait(self.seconds)
        chat.disconnect()


@dataclass(frozen=True)
class Drop:
    """Closes the socket: before any byte, or after the first chunks of a stream."""

    first_chunks: Sequence[str] = ()

    async def send(self, chat: ChatCall) -> None:
        if self.first_chunks:
            await _send_first_chunks(chat, self.first_chunks)
            await asyncio.sleep(0.02)  # lets the chunks be sent before the reset
        chat.disconnect()


@dataclass(frozen=True)
class Hold:
    """Waits until the test calls ``provider.release(gate)``, then sends the other reply."""

    gate: str
    then: Reply

    async def send(self, chat: ChatCall) -> None:
        await chat.wait_for_gate(self.gate)
        await self.then.send(chat)


async def _send_first_chunks(chat: ChatCall, chunks: Sequence[str]) -> None:
    if chat.is_streaming:
        await chat.send_deltas([{"content": chunk} for chunk in chunks])
    else:
        chat.send_truncated_json('{"choices": [')


async def _wait(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


def _reported_usage(chat: ChatCall, text: str, given: Usage | None, report: bool) -> dict[str, Any] | None:
    if not report:
        return None
    return given.as_json() if given is not None else chat.count_usage(text)


class ReplyJson:
    """Converts replies to and from JSON: ``{"kind": "Say", "text": ...}``; a plain string is a ``Say``."""

    KINDS: ClassVar[dict[str, type]] = {
        kind.__name__: kind
        for kind in (Say, CallTools, Fail, Garbage, Body, Empty, Hang, HangMidStream, Drop, Hold)
    }

    @classmethod
    def write(cls, reply: Any) -> dict[str, Any]:
        """Return the reply as JSON. Raises ``KeyError`` for a function."""
        name = cls.KINDS[type(reply).__name__].__name__
        content = {"kind": name, **{one.name: getattr(reply, one.name) for one in fields(reply)}}
        if isinstance(content.get("usage"), Usage):
            content["usage"] = asdict(content["usage"])
        if "then" in content:
            content["then"] = cls.write(content["then"])
        return content

    @classmethod
    def read(cls, content: Any) -> Any:
        """Parse the output of ``write``. Raises ``KeyError`` or ``TypeError`` for unknown names."""
        if isinstance(content, str):
            return Say(content)
        given = {name: value for name, value in content.items() if name != "kind"}
        if given.get("usage") is not None:
            given["usage"] = Usage(**given["usage"])
        if "then" in given:
            given["then"] = cls.read(given["then"])
        return cls.KINDS[content["kind"]](**given)
