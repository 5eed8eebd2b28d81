"""Reads text, tool calls and usage of an answer from the bytes that are passed on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.executor.crew.context.exceptions import AnswerError, AnswerMissing
from crewai_runner.executor.crew.llm.answer.body_decoder import BodyDecoder
from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer, ChatAnswerAssembler
from crewai_runner.executor.crew.llm.answer.read_answer import OnText, Translate
from crewai_runner.executor.port import ReplacingText

_END_TYPES = frozenset({"message_stop", "response.completed", "response.incomplete", "response.failed"})
_EDGE_BYTES = 4096
CHARACTERS_PER_TOKEN = 3
"""A low estimate, so that a limit is reached too early rather than too late."""


@dataclass(frozen=True, slots=True)
class ObservedAnswer:
    """What is known of an answer; `error` is what the provider reported in it, or why it cannot be read."""

    answer: ChatAnswer
    error: AnswerError | None = None

    @property
    def usage(self) -> dict[str, Any] | None:
        """The reported figures; cached tokens are among them, not in an object of their own."""
        return _flatten(self.answer.usage)

    @property
    def tools(self) -> list[str]:
        """The names of the requested tools."""
        functions = [call.get("function") or {} for call in self.answer.tool_calls]
        return [str(function.get("name") or "tool") for function in functions]


class AnswerObserver:
    """Observes one answer of a chat. `translate` returns chat completion payloads for the provider's."""

    def __init__(self, translate: Translate, on_text: OnText) -> None:
        self._translate, self._on_text = translate, on_text
        self._decoder, self._assembler = BodyDecoder(), ChatAnswerAssembler()
        self._error: AnswerError | None = None
        self._has_ended = False
        self._pieces = self._length = 0

    @property
    def has_ended(self) -> bool:
        """Whether the provider has sent the mark that ends an answer."""
        return self._has_ended or self._decoder.is_done

    @property
    def usage(self) -> dict[str, Any] | None:
        """The figures reported so far."""
        return _flatten(self._assembler.usage)

    @property
    def estimated_tokens(self) -> int:
        """The tokens of the answer so far, estimated from its length and its number of pieces."""
        return max(self._pieces, -(-self._length // CHARACTERS_PER_TOKEN))

    @property
    def error(self) -> AnswerError | None:
        return self._error

    def feed(self, data: bytes) -> list[Any]:
        """Read the bytes; return the chat completion payloads in them. Never raises."""
        return self._read(lambda: self._decoder.feed(data))

    def finish(self) -> list[Any]:
        """Read the end of the body; return the remaining payloads."""
        return self._read(self._decoder.finish)

    def observed(self) -> ObservedAnswer:
        """Return the answer so far, after passing the rest of its text on. Call it once."""
        rest, answer = self._assembler.finish()
        self._pass_on(rest)
        error = self._error
        if error is None and not self._assembler.has_choice:
            error = AnswerMissing(self._decoder.stray_text or "the response holds no choices")
        return ObservedAnswer(answer, error)

    def _read(self, decode: Callable[[], list[Any]]) -> list[Any]:
        found: list[Any] = []
        if self._error is not None:
            return found
        try:
            for payload in decode():
                self._add(payload, found)
        except AnswerError as error:
            self._error = error
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            self._error = AnswerError(f"the response is not in the provider's protocol ({error})")
        return found

    def _add(self, payload: Any, found: list[Any]) -> None:
        if isinstance(payload, Mapping):
            self._has_ended |= payload.get("type") in _END_TYPES or payload.get("done") is True
        translated = self._translate(payload)
        for one in translated if isinstance(translated, list) else [translated]:
            if one is not None:
                self._measure(one)
                self._pass_on(self._assembler.add(one))
                found.append(one)

    def _measure(self, payload: Any) -> None:
        choices = payload.get("choices") if isinstance(payload, Mapping) else None
        if choices:
            self._pieces += 1
            self._length += len(str(choices)) if "message" in choices[0] else 0

    def _pass_on(self, text: str) -> None:
        self._length += len(text)
        if text or isinstance(text, ReplacingText):
            self._on_text(text)


def _flatten(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    details = usage.get("prompt_tokens_details") if usage else None
    if usage is None or not isinstance(details, Mapping):
        return usage
    return {"cached_prompt_tokens": details.get("cached_tokens"), **usage}


class UsageObserver:
    """Finds the figures in an answer without text, such as the vectors of embeddings.

    It reads the beginning and the end only: parsing megabytes of numbers would block the event loop.
    """

    def __init__(self) -> None:
        self._head = self._tail = b""

    def feed(self, data: bytes) -> None:
        self._head += data[: _EDGE_BYTES - len(self._head)]
        self._tail = (self._tail + data)[-_EDGE_BYTES:]

    @property
    def usage(self) -> dict[str, Any] | None:
        """The figures; None if there are none."""
        for edge in (self._tail, self._head):
            for name in (b'"usage"', b'"usageMetadata"', b'"prompt_eval_count"'):
                if (found := _find_object(edge, name)) is not None:
                    return found
        return None


def _find_object(text: bytes, name: bytes) -> dict[str, Any] | None:
    start = text.rfind(name)
    if start < 0:
        return None
    if name == b'"prompt_eval_count"':
        figure = text[start + len(name) :].lstrip(b" :").split(b",")[0].split(b"}")[0].strip()
        return {"prompt_tokens": int(figure), "completion_tokens": 0} if figure.isdigit() else None
    begin, end = text.find(b"{", start), text.find(b"}", start)
    while 0 <= begin < end:
        try:
            found = parse_json(text[begin : end + 1])
        except ValueError:  # the object has an inner one
            end = text.find(b"}", end + 1)
            continue
        return {"completion_tokens": 0, **found} if isinstance(found, dict) else None
    return None
