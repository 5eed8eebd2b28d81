"""Reads the answer of a chat completion from its payloads: whole, streamed, or anything in between."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crewai_runner.executor.crew.llm.answer.reasoning_text import ReasoningSplitter
from crewai_runner.executor.crew.llm.answer.reported_error import find_reported_error
from crewai_runner.executor.crew.llm.answer.tool_calls import ToolCallAssembler
from crewai_runner.executor.port import ReplacingText

_REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")
_REASONING_PARTS = frozenset({"thinking", "reasoning", "redacted_thinking", "reasoning_text", "thought"})
_STREAMED_DETAILS = ("text", "summary", "data", "signature")
_MAX_DEPTH = 6


@dataclass(frozen=True)
class ChatAnswer:
    """A model's answer. `usage` is as reported, in OpenAI's format.

    `reasoning_fields` holds the reasoning under the names the provider gave it, as it expects them back.
    """

    text: str
    reasoning: str
    refusal: str
    tool_calls: list[dict[str, Any]]
    finish_reason: str | None
    usage: dict[str, Any] | None
    response_id: str | None
    reasoning_fields: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.text.strip() or self.tool_calls or self.refusal)

    def with_finish_reason(self, reason: str) -> "ChatAnswer":
        return replace(self, finish_reason=reason)


class ChatAnswerAssembler:
    """Collects payloads. Raises ProviderReportedError for a payload that reports an error."""

    def __init__(self) -> None:
        self._splitter = ReasoningSplitter()
        self._calls = ToolCallAssembler()
        self._reasoning: dict[str, list[str]] = {}
        self._details: list[Any] = []
        self._refusal: list[str] = []
        self._usage: dict[str, Any] = {}
        self._response_id: str | None = None
        self._finish_reason: str | None = None
        self._first_choice: Any = None
        self.has_choice = False
        """Whether any payload held a choice."""

    @property
    def is_finished(self) -> bool:
        """Whether the provider has sent a finish reason."""
        return self._finish_reason is not None

    @property
    def usage(self) -> dict[str, Any] | None:
        """The usage reported so far."""
        return self._usage or None

    def add(self, payload: Any) -> str:
        """Add a payload; return the new text of the answer, a ReplacingText if it replaces the rest."""
        if isinstance(payload, list):
            return join_texts(self.add(item) for item in payload)
        if not isinstance(payload, Mapping):
            return ""
        if isinstance(identifier := payload.get("id"), str) and identifier:
            self._response_id = identifier
        self._add_usage(payload)
        if (error := find_reported_error(payload)) is not None:
            raise error
        return join_texts(self._add_choice(choice) for choice in _choices_of(payload))

    def finish(self) -> tuple[str, ChatAnswer]:
        """Return the rest of the text, and the whole answer."""
        rest = self._splitter.finish()
        fields: dict[str, Any] = {name: "".join(parts) for name, parts in self._reasoning.items()}
        reasoning = next(iter(fields.values()), "") or self._splitter.reasoning
        fields = {name: text for name, text in fields.items() if name != "parts"}
        if self._details:
            fields["reasoning_details"] = self._details
        answer = ChatAnswer(
            text=self._splitter.answer,
            reasoning=reasoning,
            refusal="".join(self._refusal),
            tool_calls=self._calls.finish(),
            finish_reason=self._finish_reason,
            usage=self.usage,
            response_id=self._response_id,
            reasoning_fields=fields,
        )
        return rest, answer

    def _add_choice(self, choice: Any) -> str:
        if not isinstance(choice, Mapping) or not self._is_first_choice(choice):
            return ""
        self.has_choice = True
        if choice.get("error") and (error := find_reported_error({"error": choice["error"]})) is not None:
            raise error
        if reason := choice.get("finish_reason") or choice.get("done_reason"):
            self._finish_reason = str(reason)
        delta, message = choice.get("delta"), choice.get("message")
        # A last chunk may repeat the whole message next to an empty delta.
        part = delta if isinstance(delta, Mapping) else message
        if not isinstance(part, Mapping):
            part = {"content": choice.get("text")}
        self._calls.add(part.get("tool_calls"))
        if isinstance(legacy := part.get("function_call"), Mapping):
            self._calls.add([{"index": "function_call", "function": legacy}])
        self._add_reasoning(part)
        if isinstance(refusal := part.get("refusal"), str):
            self._refusal.append(refusal)
        return self._add_content(part.get("content"))

    def _is_first_choice(self, choice: Mapping[str, Any]) -> bool:
        index = choice.get("index")
        if not self.has_choice:
            self._first_choice = index
        return index is None or self._first_choice is None or index == self._first_choice

    def _add_content(self, content: Any, depth: int = 0) -> str:
        if isinstance(content, str) or _is_number(content):  # a number is JSON without quotes
            return self._splitter.feed(str(content))
        if isinstance(content, list):
            return join_texts(self._add_content(part, depth + 1) for part in content if depth < _MAX_DEPTH)
        if not isinstance(content, Mapping):
            return ""
        kind = str(content.get("type") or "text")
        if kind in _REASONING_PARTS:
            self._reasoning.setdefault("parts", []).append(_text_of(content))
            return ""
        if kind == "refusal":
            self._refusal.append(_text_of(content))
            return ""
        return self._splitter.feed(_text_of(content))

    def _add_reasoning(self, part: Mapping[str, Any]) -> None:
        for name in _REASONING_FIELDS:
            if isinstance(text := part.get(name), str) and text:
                self._reasoning.setdefault(name, []).append(text)
        if isinstance(details := part.get("reasoning_details"), list):
            for detail in details:
                _merge_detail(self._details, detail)

    def _add_usage(self, payload: Mapping[str, Any]) -> None:
        groq = payload.get("x_groq")
        usage = payload.get("usage") or (groq.get("usage") if isinstance(groq, Mapping) else None)
        if not isinstance(usage, Mapping):
            return
        # Usage is cumulative where it comes with every chunk, and a late chunk may omit figures.
        for name, figure in usage.items():
            known = self._usage.get(name)
            if _is_number(known) and _is_number(figure):
                self._usage[name] = max(known, figure)
            elif figure is not None:
                self._usage[name] = figure


def join_texts(texts: Iterable[str]) -> str:
    """Join pieces of text; the last one that replaces those before it makes the result a ReplacingText."""
    joined = ""
    for text in texts:
        joined = text if isinstance(text, ReplacingText) else type(joined)(joined + text)
    return joined


def _choices_of(payload: Mapping[str, Any]) -> list[Any]:
    choices = payload.get("choices")
    if isinstance(choices, Mapping):
        return [choices]
    if isinstance(choices, list):
        return choices
    if isinstance(payload.get("message"), Mapping):
        return [payload]
    return []


def _text_of(part: Any, depth: int = 0) -> str:
    """Return the text of a content part, whose text may itself be a list of parts."""
    if isinstance(part, str):
        return part
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(part, list):
        return "".join([_text_of(item, depth + 1) for item in part])
    if not isinstance(part, Mapping):
        return ""
    names = ("text", "thinking", "reasoning", "refusal", "content", "value")
    return next((_text_of(part[name], depth + 1) for name in names if part.get(name)), "")


def _merge_detail(details: list[Any], detail: Any) -> None:
    """Append an entry of `reasoning_details`, or add a streamed piece to the entry it continues."""
    last = details[-1] if details else None
    if not isinstance(detail, Mapping):
        details.append(detail)
    elif not isinstance(last, dict) or not _continues(last, detail):
        details.append(dict(detail))
    else:
        for name, value in detail.items():
            if name in _STREAMED_DETAILS and isinstance(value, str):
                last[name] = (last.get(name) or "") + value
            elif value is not None:
                last[name] = value


def _continues(last: Mapping[str, Any], detail: Mapping[str, Any]) -> bool:
    is_same_entry = all(last.get(name) == detail.get(name) for name in ("type", "index"))
    has_same_id = last.get("id") is None or detail.get("id") in (None, last.get("id"))
    return is_same_entry and has_same_id and detail.get("index") is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
