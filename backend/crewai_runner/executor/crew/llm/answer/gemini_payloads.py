"""Translates the payloads of Gemini's generateContent and streamGenerateContent."""

from collections.abc import Mapping
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


class GeminiTranslator:
    """Translates the payloads of one answer: it numbers the function calls, which have no index."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self, payload: Any) -> Any:
        """Return the chat completion payloads; anything that is not Gemini's as it is."""
        if not isinstance(payload, Mapping) or payload.get("error"):
            return payload
        names = ("candidates", "promptFeedback", "usageMetadata")
        if not any(name in payload for name in names):
            return payload
        found: list[Any] = [{**_usage(members_of(payload, "usageMetadata")), "id": payload.get("responseId")}]
        if reason := members_of(payload, "promptFeedback").get("blockReason"):
            found.append(finish_payload(f"prompt blocked: {reason}"))
        for candidate in items_of(payload, "candidates")[:1]:
            found += [self._part(part) for part in items_of(members_of(candidate, "content"), "parts")]
            found.append(finish_payload(candidate.get("finishReason")))
        return found

    def _part(self, part: Mapping[str, Any]) -> Any:
        if call := members_of(part, "functionCall"):
            index, self._calls = self._calls, self._calls + 1
            delta = tool_call_delta(index, call.get("id"), call.get("name"), call.get("args"))
            if signature := part.get("thoughtSignature"):
                delta |= reasoning_delta(index, data=signature)
            return delta_payload(delta)
        if part.get("thought"):
            return delta_payload({"thinking": part.get("text")})
        return delta_payload({"content": part.get("text")})


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    thoughts = usage.get("thoughtsTokenCount")
    return usage_payload(
        prompt_tokens=add_counts(usage.get("promptTokenCount"), usage.get("toolUsePromptTokenCount")),
        completion_tokens=add_counts(usage.get("candidatesTokenCount"), thoughts),
        total_tokens=usage.get("totalTokenCount"),
        cached_prompt_tokens=usage.get("cachedContentTokenCount"),
        reasoning_tokens=thoughts,
    )
