"""Calls of chat models in any protocol: the request, what the provider refuses in it, and the answer."""

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crewai.events.types.llm_events import LLMCallType
from pydantic import BaseModel, ValidationError

from crewai_runner.executor.crew.compat.llm_internals import emit_replacing_text
from crewai_runner.executor.crew.context.run_context import current_run
from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer
from crewai_runner.executor.crew.llm.answer.reasoning_memory import ReasoningMemory
from crewai_runner.executor.crew.llm.base import LLMMixin
from crewai_runner.executor.crew.llm.refused_parameters import (
    advise,
    find_refused_parameter,
    leave_out,
    refusals,
)
from crewai_runner.executor.port import ReplacingText

STRUCTURED_OUTPUT = "structured_output"
"""The name of a tool whose arguments are the answer, for providers without a response format."""
_MAX_REFUSALS = 6
"""How many parameters of one request may be left out before the error is final."""

if TYPE_CHECKING:
    from crewai.llms.base_llm import BaseLLM as _CrewModel
else:  # a base class of pydantic would replace the fields of CrewAI's provider classes
    _CrewModel = object


class ChatModel(LLMMixin, _CrewModel):
    """Base of the model classes. Subclasses define `_request_once` and the private field `_reasoning`.

    The parameters of a request have the names of a chat completion in every protocol.
    """

    _reasoning: ReasoningMemory

    @abstractmethod
    async def _request_once(self, params: dict[str, Any], on_text: Callable[[str], None]) -> ChatAnswer:
        """Send one request and read its answer; `on_text` receives each new piece of text."""

    def supports_function_calling(self) -> bool:
        """Return the registered capability, unless the model refused tools in this process."""
        return "tools" not in self._refused() and super().supports_function_calling()

    def _refused(self) -> tuple[str, ...]:
        return refusals.get(str(self.base_url), self.model)

    def _without_omitted(self, params: dict[str, Any]) -> dict[str, Any]:
        for name in (*self.profile.omitted_parameters, *self._refused()):
            params = leave_out(params, name)
        return params

    def _requires_other_value(self, error: Exception, params: Mapping[str, Any]) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the parameters with the value that the provider requires in an error, if it names one."""
        return None

    async def _request_answer(self, params: dict[str, Any], on_text: Callable[[str], None]) -> ChatAnswer:
        """Send a request, without the parameters that the provider refuses."""
        refused: list[str] = []
        while True:
            try:
                answer = await self._request_once(params, on_text)
            except Exception as error:
                if (adapted := self._requires_other_value(error, params)) is not None:
                    params = adapted
                    continue
                name = find_refused_parameter(error, params)
                changed = leave_out(params, name) if name and name not in refused else params
                if changed == params or len(refused) == _MAX_REFUSALS:
                    raise
                params = changed
                refused.append(str(name))
            else:
                self._remember_refused(refused)
                return answer

    def _remember_refused(self, names: Sequence[str]) -> None:
        if not names:
            return
        refusals.add(str(self.base_url), self.model, names)
        if (run := current_run.get()) is not None:
            advice = " ".join(dict.fromkeys(advise(name) for name in names))
            run.emit_warning("parameter-refused", f"{self.model} refused {', '.join(names)}. {advice}")

    def _emit_text(self, text: str, source: Mapping[str, Any]) -> None:
        if not self._effective_stream():
            return
        if isinstance(text, ReplacingText):
            emit_replacing_text(self, text, **source)
        else:
            self._emit_stream_chunk_event(chunk=text, **source)

    def _deliver(
        self,
        answer: ChatAnswer,
        messages: Sequence[Any],
        available_functions: Mapping[str, Any] | None,
        response_model: type[BaseModel] | None,
        source: Mapping[str, Any],
        *,
        has_tools: bool,
    ) -> Any:
        """Emit the answer; return its text, its tool calls, a tool's result or the object asked for.

        Some models call tools that the request did not offer: next to a text such calls do not count.
        """
        event = {
            "messages": messages,
            "usage": _to_crewai_usage(answer.usage),
            "finish_reason": answer.finish_reason,
            "response_id": answer.response_id,
            **source,
        }
        calls = [call for call in answer.tool_calls if call["function"]["name"] != STRUCTURED_OUTPUT]
        if not has_tools and answer.text.strip():
            calls = []
        self._reasoning.keep(calls, answer.reasoning_fields)
        if response_model is not None and not calls:
            return self._deliver_structured(_structured_text(answer), response_model, event)
        if calls and not available_functions:
            self._emit_call_completed_event(calls, LLMCallType.TOOL_CALL, **event)
            return calls
        for call in calls:
            result = self._execute_tool(call["function"], available_functions or {}, source)
            if result is not None:
                return result
        text = self._apply_stop_words(answer.text)
        self._emit_call_completed_event(text, LLMCallType.LLM_CALL, **event)
        return text

    def _deliver_structured(
        self, text: str, response_model: type[BaseModel], event: Mapping[str, Any]
    ) -> BaseModel | str:
        """Return the object in the answer, or its text if there is none: the caller asks again."""
        self._emit_call_completed_event(text, LLMCallType.LLM_CALL, **event)
        try:
            return response_model.model_validate_json(text)
        except ValidationError:
            return text

    def _execute_tool(
        self, function: Mapping[str, Any], functions: Mapping[str, Any], source: Mapping[str, Any]
    ) -> str | None:
        arguments = parse_arguments(function["arguments"])
        if arguments is None or function["name"] not in functions:
            return None
        result: str | None = self._handle_tool_execution(
            function_name=function["name"],
            function_args=arguments,
            available_functions=dict(functions),
            **source,
        )
        return result


def parse_arguments(text: str) -> dict[str, Any] | None:
    """Return the arguments of a tool call; None if they are not a JSON object."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _structured_text(answer: ChatAnswer) -> str:
    return next((str(call["function"]["arguments"]) for call in answer.tool_calls), answer.text)


def _to_crewai_usage(usage: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the reported figures with the cached and the reasoning tokens on the first level."""
    if usage is None:
        return None
    names = (
        *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"),
        *("cached_prompt_tokens", "reasoning_tokens"),
    )
    found: dict[str, Any] = {name: usage[name] for name in names if name in usage}
    for group, name, target in (
        ("prompt_tokens_details", "cached_tokens", "cached_prompt_tokens"),
        ("completion_tokens_details", "reasoning_tokens", "reasoning_tokens"),
    ):
        details = usage.get(group)
        if isinstance(details, dict) and details.get(name) is not None:
            found[target] = details[name]
    return found
