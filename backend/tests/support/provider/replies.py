"""What the scripted provider can answer, well or badly."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Protocol

from tests.support.provider.chat_call import Exchange, error_body, usage

ARGUMENT_PIECE = 24


class Reply(Protocol):
    """A reply plays itself on the open call; it is cancelled when the client leaves."""

    async def play(self, exchange: Exchange) -> None: ...


@dataclass(frozen=True)
class Usage:
    """Reported usage, in tokens, instead of the count of words."""

    prompt: int
    completion: int
    cached: int = 0

    def on_the_wire(self) -> dict[str, Any]:
        return usage(self.prompt, self.completion, self.cached)


@dataclass(frozen=True)
class Say:
    """An answer in text.

    ``chunks`` are the streamed pieces (the words of the text, unless given); ``delay`` is seconds
    before the first byte (None: the provider's), ``chunk_delay`` before each piece. ``stamp`` ends
    each streamed piece with the moment it left. ``report_usage=False`` keeps silent about tokens.
    """

    text: str = ""
    chunks: Sequence[str] | None = None
    delay: float | None = None
    chunk_delay: float = 0.0
    usage: Usage | None = None
    report_usage: bool = True
    stamp: bool = False

    async def play(self, exchange: Exchange) -> None:
        await exchange.pause(self.delay)
        pieces = list(self.chunks) if self.chunks is not None else re.findall(r"\S+\s*|\s+", self.text)
        text = self.text or "".join(pieces)
        counted = _counted(exchange, text, self.usage, self.report_usage)
        if not exchange.streaming:
            exchange.complete({"content": text}, "stop", counted)
            return
        await exchange.stream([{"content": piece} for piece in pieces], self.chunk_delay, self.stamp)
        exchange.end_stream("stop", counted)


@dataclass(frozen=True)
class CallTools:
    """Native tool calls: pairs of a name and arguments (an object, or JSON text that may be malformed)."""

    calls: Sequence[tuple[str, str | dict[str, Any]]]
    text: str | None = None
    delay: float | None = None
    usage: Usage | None = None

    async def play(self, exchange: Exchange) -> None:
        await exchange.pause(self.delay)
        calls = [self._call(exchange, index) for index in range(len(self.calls))]
        counted = _counted(exchange, self.text or "tool", self.usage, report=True)
        if not exchange.streaming:
            exchange.complete({"content": self.text, "tool_calls": calls}, "tool_calls", counted)
            return
        deltas = [delta for index, call in enumerate(calls) for delta in _tool_deltas(index, call)]
        await exchange.stream(deltas)
        exchange.end_stream("tool_calls", counted)

    def _call(self, exchange: Exchange, index: int) -> dict[str, Any]:
        name, arguments = self.calls[index]
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call_id = f"call_{exchange.record.number}_{index}"
        return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


def _tool_deltas(index: int, call: dict[str, Any]) -> list[dict[str, Any]]:
    arguments = call["function"]["arguments"]
    pieces = [arguments[start : start + ARGUMENT_PIECE] for start in range(0, len(arguments), ARGUMENT_PIECE)]
    opening = {"index": index, **call, "function": {"name": call["function"]["name"], "arguments": ""}}
    rest = [{"index": index, "function": {"arguments": piece}} for piece in pieces]
    return [{"tool_calls": [delta]} for delta in (opening, *rest)]


@dataclass(frozen=True)
class Fail:
    """An error status; ``retry_after`` in seconds goes into the header, ``body`` replaces OpenAI's shape."""

    status: int
    message: str = "The scripted provider refuses."
    retry_after: float | None = None
    body: Any = None
    delay: float | None = 0.0

    async def play(self, exchange: Exchange) -> None:
        await exchange.pause(self.delay)
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
        exchange.respond(
            self.status, error_body(self.status, self.message) if self.body is None else self.body, headers
        )


@dataclass(frozen=True)
class Garbage:
    """A success that is a web page, as a proxy or a wrong base URL gives."""

    html: str = "<html><body>Welcome</body></html>"

    async def play(self, exchange: Exchange) -> None:
        exchange.respond_text(200, "text/html", self.html)


@dataclass(frozen=True)
class Empty:
    """A well-formed answer with no text in it."""

    async def play(self, exchange: Exchange) -> None:
        await Say("", chunks=()).play(exchange)


@dataclass(frozen=True)
class Hang:
    """Accepts and never answers; after ``seconds`` (None: never) it closes the socket."""

    seconds: float | None = None

    async def play(self, exchange: Exchange) -> None:
        await _wait(self.seconds)
        exchange.drop()


@dataclass(frozen=True)
class HangMidStream:
    """Sends the first pieces, then nothing; after ``seconds`` (None: never) it closes the socket."""

    first_chunks: Sequence[str] = ("Once ", "upon ")
    seconds: float | None = None

    async def play(self, exchange: Exchange) -> None:
        await _begin(exchange, self.first_chunks)
        await _wait(self.seconds)
        exchange.drop()


@dataclass(frozen=True)
class Drop:
    """Closes the socket: before any byte, or after the first pieces of a stream."""

    first_chunks: Sequence[str] = ()

    async def play(self, exchange: Exchange) -> None:
        if self.first_chunks:
            await _begin(exchange, self.first_chunks)
            await asyncio.sleep(0.02)  # the pieces leave before the reset overtakes them
        exchange.drop()


@dataclass(frozen=True)
class Hold:
    """Waits until the test opens the gate (``provider.release(gate)``), then gives the other reply."""

    gate: str
    then: Reply

    async def play(self, exchange: Exchange) -> None:
        await exchange.wait_for_gate(self.gate)
        await self.then.play(exchange)


async def _begin(exchange: Exchange, pieces: Sequence[str]) -> None:
    if exchange.streaming:
        await exchange.stream([{"content": piece} for piece in pieces])
    else:
        exchange.promise('{"choices": [')


async def _wait(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)


def _counted(exchange: Exchange, text: str, given: Usage | None, report: bool) -> dict[str, Any] | None:
    if not report:
        return None
    return given.on_the_wire() if given is not None else exchange.count(text)


class ReplyJson:
    """Replies as JSON: ``{"kind": "Say", "text": ...}``; a bare string is a ``Say``."""

    KINDS: ClassVar[dict[str, type]] = {
        kind.__name__: kind
        for kind in (Say, CallTools, Fail, Garbage, Empty, Hang, HangMidStream, Drop, Hold)
    }

    @classmethod
    def write(cls, reply: Any) -> dict[str, Any]:
        """The reply as JSON. A reply made in the process (a function) cannot be written: ``KeyError``."""
        name = cls.KINDS[type(reply).__name__].__name__
        content = {"kind": name, **{one.name: getattr(reply, one.name) for one in fields(reply)}}
        if isinstance(content.get("usage"), Usage):
            content["usage"] = asdict(content["usage"])
        if "then" in content:
            content["then"] = cls.write(content["then"])
        return content

    @classmethod
    def read(cls, content: Any) -> Any:
        """The inverse of ``write``. Raises ``KeyError`` or ``TypeError`` for unknown kinds and fields."""
        if isinstance(content, str):
            return Say(content)
        given = {name: value for name, value in content.items() if name != "kind"}
        if given.get("usage") is not None:
            given["usage"] = Usage(**given["usage"])
        if "then" in given:
            given["then"] = cls.read(given["then"])
        return cls.KINDS[content["kind"]](**given)
