"""Answers and errors in the protocols of Anthropic, Gemini and Bedrock."""

import asyncio
import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from tests.support.provider.chat_call import ChatCall
from tests.support.provider.replies import Fail

EVENT_STREAM = "application/vnd.amazon.eventstream"


class Protocol(Enum):
    """A provider's protocol."""

    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    BEDROCK = "bedrock"


def protocol_of(path: str) -> Protocol | None:
    """Return the protocol of a request to this path; None for OpenAI's and for other requests."""
    ends = {
        "/messages": Protocol.ANTHROPIC,
        "enerateContent": Protocol.GEMINI,
        "/converse": Protocol.BEDROCK,
        "/converse-stream": Protocol.BEDROCK,
    }
    return next((protocol for end, protocol in ends.items() if path.endswith(end)), None)


@dataclass(frozen=True)
class Turn:
    """An answer in the protocol of the request, streamed if the request asks for it.

    ``finish`` is the finish reason as the protocol spells it (None: the answer is not finished); ``calls``
    are pairs of name and arguments with the same id if ``call_id`` is set. ``cut`` closes or holds the
    connection after the first pieces. ``usage`` are the figures as the protocol spells them.
    """

    text: str = ""
    thinking: str = ""
    signature: str = "c2lnbmVk"
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    call_id: str | None = None
    finish: str | None = "default"
    usage: Mapping[str, Any] = field(default_factory=dict)
    cut: Literal["drop", "hang"] | None = None
    error: Mapping[str, Any] | None = None
    """An error event after the text, in place of the end of the stream."""

    async def send(self, chat: ChatCall) -> None:
        protocol = protocol_of(chat.record.path)
        assert protocol is not None
        is_stream = chat.is_streaming or "stream" in chat.record.path.lower()
        if not is_stream and self.cut is None:
            chat.send_json(200, WHOLE[protocol](self))
            return
        content_type = EVENT_STREAM if protocol is Protocol.BEDROCK else "text/event-stream"
        parts = [FRAME[protocol](event) for event in EVENTS[protocol](self)]
        chat.send_raw(content_type, parts, is_complete=self.cut is None)
        if self.cut == "drop":
            await asyncio.sleep(0.02)  # lets the pieces be sent before the reset
            chat.disconnect()
        elif self.cut == "hang":
            await asyncio.Event().wait()

    def reason(self, default: str, tools: str) -> str | None:
        return self.finish if self.finish != "default" else tools if self.calls else default

    def ids(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for number, (name, arguments) in enumerate(self.calls):
            yield self.call_id or f"call_{number}", name, arguments

    @property
    def is_cut(self) -> bool:
        return self.cut is not None or self.error is not None


def refusal(protocol: Protocol, status: int, message: str, **options: Any) -> Fail:
    """Return an error response as the protocol spells it."""
    kinds = {429: "rate_limit_error", 529: "overloaded_error", 500: "api_error"}
    names = {429: "ThrottlingException", 500: "InternalServerException", 503: "ServiceUnavailableException"}
    bodies = {
        Protocol.ANTHROPIC: {
            "type": "error",
            "error": {"type": kinds.get(status, "invalid_request_error"), "message": message},
        },
        Protocol.GEMINI: {"error": {"code": status, "message": message, "status": "FAILED"}},
        Protocol.BEDROCK: {"__type": names.get(status, "ValidationException"), "message": message},
    }
    return Fail(status, body=bodies[protocol], **options)


def _anthropic_blocks(turn: Turn) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if turn.thinking:
        blocks.append({"type": "thinking", "thinking": turn.thinking, "signature": turn.signature})
    if turn.text:
        blocks.append({"type": "text", "text": turn.text})
    tools = ({"type": "tool_use", "id": i, "name": n, "input": dict(a)} for i, n, a in turn.ids())
    return [*blocks, *tools]


def _anthropic_whole(turn: Turn) -> dict[str, Any]:
    usage = {"input_tokens": 5, "output_tokens": 2, **turn.usage}
    reason = turn.reason("end_turn", "tool_use")
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "usage": usage}
    return {**message, "content": _anthropic_blocks(turn), "stop_reason": reason, "stop_sequence": None}


def _anthropic_events(turn: Turn) -> Iterator[dict[str, Any]]:
    whole = _anthropic_whole(turn)
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}}
    for index, block in enumerate(whole["content"]):
        empty = {
            "text": {"text": ""},
            "thinking": {"thinking": "", "signature": ""},
            "tool_use": {"input": {}},
        }
        start = {**block, **empty[block["type"]]}
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in _anthropic_deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    if turn.error is not None:
        yield {"type": "error", "error": dict(turn.error)}
    elif not turn.is_cut and whole["stop_reason"] is not None:
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": whole["stop_reason"]},
            "usage": whole["usage"],
        }
        yield {"type": "message_stop"}


def _anthropic_deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        for piece in block["text"].split(" "):
            yield {"type": "text_delta", "text": f"{piece} "}
    elif block["type"] == "thinking":
        for piece in block["thinking"].split(" "):
            yield {"type": "thinking_delta", "thinking": f"{piece} "}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        text = json.dumps(block["input"])
        yield {"type": "input_json_delta", "partial_json": text[:4]}
        yield {"type": "input_json_delta", "partial_json": text[4:]}


def _gemini_whole(turn: Turn) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    if turn.thinking:
        parts.append({"text": turn.thinking, "thought": True})
    if turn.text:
        parts.append({"text": turn.text})
    for number, (_, name, arguments) in enumerate(turn.ids()):
        call = {"functionCall": {"name": name, "args": dict(arguments)}}
        parts.append(call | ({"thoughtSignature": turn.signature} if number == 0 and turn.thinking else {}))
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    reason = turn.reason("STOP", "STOP")
    if reason is not None and not turn.is_cut:
        candidate["finishReason"] = reason
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7, **turn.usage}
    return {"candidates": [candidate], "usageMetadata": usage, "responseId": "r1"}


def _gemini_events(turn: Turn) -> Iterator[dict[str, Any]]:
    whole = _gemini_whole(turn)
    candidate = whole["candidates"][0]
    for part in candidate["content"]["parts"]:
        yield {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]}
    if turn.error is not None:
        yield {"error": dict(turn.error)}
    elif not turn.is_cut:
        yield {**whole, "candidates": [{**candidate, "content": {"role": "model", "parts": [{"text": ""}]}}]}


def _bedrock_blocks(turn: Turn) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if turn.thinking:
        text = {"text": turn.thinking, "signature": turn.signature}
        blocks.append({"reasoningContent": {"reasoningText": text}})
    if turn.text:
        blocks.append({"text": turn.text})
    tools = ({"toolUse": {"toolUseId": i, "name": n, "input": dict(a)}} for i, n, a in turn.ids())
    return [*blocks, *tools]


def _bedrock_usage(turn: Turn) -> dict[str, Any]:
    return {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7, **turn.usage}


def _bedrock_whole(turn: Turn) -> dict[str, Any]:
    message = {"role": "assistant", "content": _bedrock_blocks(turn)}
    reason = turn.reason("end_turn", "tool_use")
    return {"output": {"message": message}, "stopReason": reason, "usage": _bedrock_usage(turn)}


def _bedrock_events(turn: Turn) -> Iterator[dict[str, Any]]:
    yield {"messageStart": {"role": "assistant"}}
    for index, block in enumerate(_bedrock_blocks(turn)):
        if tool := block.get("toolUse"):
            start = {"toolUse": {name: tool[name] for name in ("toolUseId", "name")}}
            yield {"contentBlockStart": {"contentBlockIndex": index, "start": start}}
        for delta in _bedrock_deltas(block):
            yield {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}
        yield {"contentBlockStop": {"contentBlockIndex": index}}
    if turn.error is not None:
        yield {"exception": dict(turn.error)}
    elif not turn.is_cut and (reason := turn.reason("end_turn", "tool_use")) is not None:
        yield {"messageStop": {"stopReason": reason}}
        yield {"metadata": {"usage": _bedrock_usage(turn), "metrics": {"latencyMs": 1}}}


def _bedrock_deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "text" in block:
        for piece in block["text"].split(" "):
            yield {"text": f"{piece} "}
    elif tool := block.get("toolUse"):
        yield {"toolUse": {"input": json.dumps(tool["input"])}}
    else:
        reasoning = block["reasoningContent"]["reasoningText"]
        yield {"reasoningContent": {"text": reasoning["text"]}}
        yield {"reasoningContent": {"signature": reasoning["signature"]}}


def _sse(event: Mapping[str, Any]) -> bytes:
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


def _event_stream_message(event: Mapping[str, Any]) -> bytes:
    """Return an event in the binary format of ``application/vnd.amazon.eventstream``."""
    ((kind, payload),) = event.items()
    headers = {":content-type": "application/json", ":message-type": "event", ":event-type": kind}
    if kind == "exception":
        headers |= {":message-type": "exception", ":exception-type": payload["type"]}
    packed = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(text)) + text.encode()
        for name, text in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(packed) + len(body) + 16, len(packed))
    start = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + body
    return start + struct.pack(">I", zlib.crc32(start))


WHOLE = {
    Protocol.ANTHROPIC: _anthropic_whole,
    Protocol.GEMINI: _gemini_whole,
    Protocol.BEDROCK: _bedrock_whole,
}
EVENTS = {
    Protocol.ANTHROPIC: _anthropic_events,
    Protocol.GEMINI: _gemini_events,
    Protocol.BEDROCK: _bedrock_events,
}
FRAME = {Protocol.ANTHROPIC: _sse, Protocol.GEMINI: _sse, Protocol.BEDROCK: _event_stream_message}
