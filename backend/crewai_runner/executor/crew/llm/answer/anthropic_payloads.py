"""Translates the payloads of Anthropic's Messages API."""

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


def translate_anthropic(payload: Any) -> Any:
    """Return the chat completion payloads for a message or a stream event; anything else as it is."""
    kind = payload.get("type") if isinstance(payload, Mapping) else None
    translate = _TRANSLATIONS.get(kind) if isinstance(kind, str) else None
    return payload if translate is None else translate(payload)


def _whole_message(message: Mapping[str, Any]) -> list[Any]:
    blocks = [_block(index, block) for index, block in enumerate(items_of(message, "content"))]
    return [_id_and_usage(message), *blocks, finish_payload(message.get("stop_reason"))]


def _message_start(event: Mapping[str, Any]) -> list[Any]:
    return [_id_and_usage(members_of(event, "message")), finish_payload(None)]


def _message_delta(event: Mapping[str, Any]) -> list[Any]:
    return [_usage(event), finish_payload(members_of(event, "delta").get("stop_reason"))]


def _id_and_usage(message: Mapping[str, Any]) -> dict[str, Any]:
    return {**_usage(message), "id": message.get("id")}


def _usage(owner: Mapping[str, Any]) -> dict[str, Any]:
    usage = members_of(owner, "usage")
    cached, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    return usage_payload(
        prompt_tokens=add_counts(usage.get("input_tokens"), cached, written),
        completion_tokens=usage.get("output_tokens"),
        cached_prompt_tokens=cached,
    )


def _block_start(event: Mapping[str, Any]) -> Any:
    return _block(event.get("index"), members_of(event, "content_block"))


def _block(index: Any, block: Mapping[str, Any]) -> Any:
    kind = block.get("type")
    if kind == "text":
        return delta_payload({"content": block.get("text")})
    if kind == "thinking":
        signature = {"signature": block["signature"]} if block.get("signature") else {}
        return delta_payload(reasoning_delta(index, block.get("thinking"), **signature))
    if kind == "redacted_thinking":
        return delta_payload(reasoning_delta(index, data=block.get("data")))
    if kind == "tool_use":
        return delta_payload(tool_call_delta(index, block.get("id"), block.get("name"), block.get("input")))
    return None


def _block_delta(event: Mapping[str, Any]) -> Any:
    index, delta = event.get("index"), members_of(event, "delta")
    kind = delta.get("type")
    if kind == "text_delta":
        return delta_payload({"content": delta.get("text")})
    if kind == "thinking_delta":
        return delta_payload(reasoning_delta(index, delta.get("thinking")))
    if kind == "signature_delta":
        return delta_payload(reasoning_delta(index, signature=delta.get("signature")))
    if kind == "input_json_delta":
        return delta_payload(tool_call_delta(index, None, None, delta.get("partial_json")))
    return None


def _nothing(_event: Mapping[str, Any]) -> None:
    return None


_TRANSLATIONS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = MappingProxyType(
    {
        "message": _whole_message,
        "message_start": _message_start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "message_delta": _message_delta,
        "content_block_stop": _nothing,
        "message_stop": _nothing,
        "ping": _nothing,
    }
)
