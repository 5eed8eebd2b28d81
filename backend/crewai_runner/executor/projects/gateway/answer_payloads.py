"""Translates payloads of OpenAI's Responses API and of Ollama into chat completion payloads."""

from collections.abc import Mapping
from typing import Any

from crewai_runner.executor.crew.llm.answer.chat_payload import (
    delta_payload,
    finish_payload,
    items_of,
    members_of,
    tool_call_delta,
    usage_payload,
)

_FINISH_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def translate_response(payload: Any) -> Any:
    """Return the chat completion payloads for a response or one of its stream events."""
    if not isinstance(payload, Mapping):
        return payload
    if payload.get("object") == "response":
        return [*_texts(payload), *_end(payload)]
    found: Any = None
    match payload.get("type"):
        case "response.output_text.delta":
            found = delta_payload({"content": payload.get("delta")})
        case "response.refusal.delta":
            found = delta_payload({"refusal": payload.get("delta")})
        case "response.completed" | "response.incomplete" | "response.failed":
            found = _end(members_of(payload, "response"))
        case "error":
            found = {"error": payload.get("error") or payload.get("message") or "error"}
        case None:
            found = payload
    return found


def _texts(response: Mapping[str, Any]) -> list[Any]:
    parts = [part for item in items_of(response, "output") for part in items_of(item, "content")]
    texts = [delta_payload({"content": p.get("text")}) for p in parts if p.get("type") == "output_text"]
    refusals = [delta_payload({"refusal": p.get("refusal")}) for p in parts if p.get("type") == "refusal"]
    return texts + refusals


def _end(response: Mapping[str, Any]) -> list[Any]:
    usage = members_of(response, "usage")
    found: list[Any] = [
        usage_payload(
            prompt_tokens=usage.get("input_tokens"),
            completion_tokens=usage.get("output_tokens"),
            total_tokens=usage.get("total_tokens"),
            cached_prompt_tokens=members_of(usage, "input_tokens_details").get("cached_tokens"),
        )
    ]
    if response.get("error"):
        return [*found, {"error": response["error"]}]
    calls = [item for item in items_of(response, "output") if item.get("type") == "function_call"]
    for index, call in enumerate(calls):
        delta = tool_call_delta(index, call.get("call_id"), call.get("name"), call.get("arguments"))
        found.append(delta_payload(delta))
    reason = members_of(response, "incomplete_details").get("reason")
    finish = _FINISH_REASONS.get(str(reason), "length" if reason else "tool_calls" if calls else "stop")
    return [*found, finish_payload(finish)]


def translate_ollama(payload: Any) -> Any:
    """Return the chat completion payloads for an answer of `/api/chat` or `/api/generate`, or a piece."""
    if not isinstance(payload, Mapping) or "error" in payload:
        return payload
    message = members_of(payload, "message")
    found: list[Any] = [delta_payload({"content": message.get("content", payload.get("response"))})]
    for index, call in enumerate(items_of(message, "tool_calls")):
        function = members_of(call, "function")
        delta = tool_call_delta(index, call.get("id"), function.get("name"), function.get("arguments"))
        found.append(delta_payload(delta))
    if payload.get("done"):
        figures = {"prompt_tokens": payload.get("prompt_eval_count")}
        found += [
            usage_payload(**figures, completion_tokens=payload.get("eval_count")),
            finish_payload(payload.get("done_reason") or "stop"),
        ]
    return found
