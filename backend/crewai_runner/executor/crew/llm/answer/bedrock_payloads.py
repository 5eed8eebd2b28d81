"""Translates the responses of Bedrock's Converse and the events of its ConverseStream."""

import base64
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.crew.llm.answer.chat_payload import (
    add_counts,
    delta_payload,
    finish_payload,
    items_of,
    members_of,
    reasoning_delta,
    tool_call_delta,
    usage_payload,
)


def translate_bedrock(payload: Any) -> Any:
    """Return the chat completion payloads for a response or an event; anything else as it is."""
    kinds = payload if isinstance(payload, Mapping) else {}
    kind = next((name for name in kinds if name in _TRANSLATIONS), None)
    return payload if kind is None else _TRANSLATIONS[kind](payload)


def _whole_response(response: Mapping[str, Any]) -> list[Any]:
    content = items_of(members_of(members_of(response, "output"), "message"), "content")
    blocks = [_block(index, block) for index, block in enumerate(content)]
    return [_usage(members_of(response, "usage")), *blocks, finish_payload(response.get("stopReason"))]


def _message_start(_event: Mapping[str, Any]) -> Any:
    return finish_payload(None)


def _block_start(event: Mapping[str, Any]) -> Any:
    start = members_of(event, "contentBlockStart")
    return _block(start.get("contentBlockIndex"), members_of(start, "start"))


def _block_delta(event: Mapping[str, Any]) -> Any:
    piece = members_of(event, "contentBlockDelta")
    return _delta(piece.get("contentBlockIndex"), members_of(piece, "delta"))


def _message_stop(event: Mapping[str, Any]) -> Any:
    return finish_payload(members_of(event, "messageStop").get("stopReason"))


def _metadata(event: Mapping[str, Any]) -> Any:
    return _usage(members_of(members_of(event, "metadata"), "usage"))


def _nothing(_event: Mapping[str, Any]) -> None:
    return None


def _block(index: Any, block: Mapping[str, Any]) -> Any:
    if tool := members_of(block, "toolUse"):
        return delta_payload(
            tool_call_delta(index, tool.get("toolUseId"), tool.get("name"), tool.get("input"))
        )
    if reasoning := members_of(block, "reasoningContent"):
        return delta_payload(_reasoning(index, members_of(reasoning, "reasoningText") or reasoning))
    return delta_payload({"content": block.get("text")})


def _delta(index: Any, delta: Mapping[str, Any]) -> Any:
    if tool := members_of(delta, "toolUse"):
        return delta_payload(tool_call_delta(index, None, None, tool.get("input")))
    if reasoning := members_of(delta, "reasoningContent"):
        return delta_payload(_reasoning(index, reasoning))
    return delta_payload({"content": delta.get("text")})


def _reasoning(index: Any, reasoning: Mapping[str, Any]) -> dict[str, Any]:
    if (data := reasoning.get("redactedContent")) is not None:
        text = base64.b64encode(data).decode() if isinstance(data, bytes) else str(data)
        return reasoning_delta(index, data=text)
    signature = {"signature": reasoning["signature"]} if reasoning.get("signature") else {}
    return reasoning_delta(index, reasoning.get("text"), **signature)


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    cached, written = usage.get("cacheReadInputTokens"), usage.get("cacheWriteInputTokens")
    return usage_payload(
        prompt_tokens=add_counts(usage.get("inputTokens"), cached, written),
        completion_tokens=usage.get("outputTokens"),
        total_tokens=usage.get("totalTokens"),
        cached_prompt_tokens=cached,
    )


_TRANSLATIONS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = MappingProxyType(
    {
        "output": _whole_response,
        "messageStart": _message_start,
        "contentBlockStart": _block_start,
        "contentBlockDelta": _block_delta,
        "contentBlockStop": _nothing,
        "messageStop": _message_stop,
        "metadata": _metadata,
    }
)
