"""CrewAI's agent loop with model calls made as coroutines in the attempt's event loop.

CrewAI's own executor makes each call in a worker thread, six at a time on a small machine, where it cannot
be cancelled. All other steps of the loop are CrewAI's.
"""

import asyncio
import copy
import functools
import inspect
from typing import Any

from crewai.agents.agent_executor import PRINTER, AgentExecutor, AgentExecutorState
from crewai.agents.parser import AgentFinish, OutputParserError
from crewai.flow.flow_wrappers import FlowMethod
from crewai.utilities.agent_utils import (
    aget_llm_response,
    is_context_length_exceeded,
    is_inside_event_loop,
    is_native_tool_calling_unsupported_error,
    process_llm_response,
)
from pydantic import BaseModel

from crewai_runner.executor.crew.context.exceptions import AnswerMissing, UnusableModel
from crewai_runner.executor.crew.context.run_context import current_run

# Steps that do not block. CrewAI runs each of them in a thread.
_NON_BLOCKING_STEPS = frozenset(
    {
        "check_todos_available",
        "initialize_reasoning",
        "continue_iteration",
        "check_max_iterations",
        "route_by_answer_type",
        "check_todo_completion",
        "check_native_todo_completion",
        "increment_and_continue",
        "recover_from_parser_error",
    }
)
_MAX_REMINDERS = 2
_TOOL_NOT_OFFERED = (
    "Your answer was a call of a tool that was not offered. Answer in text; call only tools that are "
    "described above, in the described format."
)
_NON_BLOCKING_WITHOUT_PLANNING = frozenset({"generate_plan", "finalize"})


def agent_executor_class(*, is_async: bool) -> type[Any]:
    """Return the class of the agents' executors: this module's, or CrewAI's own."""
    return AsyncAgentExecutor if is_async else AgentExecutor


class AsyncAgentExecutor(AgentExecutor):
    """The loop of one agent. Cancelling its task closes the connection to the provider at once."""

    @classmethod
    def flow_definition(cls) -> Any:
        # CrewAI collects the steps from the class that defines them.
        return AgentExecutor.flow_definition()

    def _class_bound_methods(self) -> dict[str, Any]:
        # CrewAI inspects the signature of each step again for every agent of every run.
        bound: dict[str, Any] = {}
        for name, template in _step_templates().items():
            bound[name] = step = copy.copy(template)
            step._instance = step.__self__ = self
        return bound

    async def _execute_method(
        self, method_name: str, method: Any, *args: Any, **kwargs: Any
    ) -> tuple[Any, None]:
        # As in CrewAI, without the hooks, events and persistence of user-defined flows.
        if _is_coroutine_step(method):
            result = await method(*args, **kwargs)
        elif self._is_non_blocking(method_name):
            result = method(*args, **kwargs)
        else:
            result = await asyncio.to_thread(method, *args, **kwargs)
        self._method_outputs.append({"method": str(method_name), "output": result})
        counts = self._method_execution_counts
        counts[method_name] = counts.get(method_name, 0) + 1
        self._completed_methods.add(method_name)
        return result, None

    def _is_non_blocking(self, step: str) -> bool:
        if step in _NON_BLOCKING_WITHOUT_PLANNING:
            return not self.agent.planning_enabled
        return step in _NON_BLOCKING_STEPS

    def _create_initial_state(self) -> AgentExecutorState:
        return AgentExecutorState()  # CrewAI creates a subclass of it for every agent

    def _attach_usage_aggregation_listener(self) -> None:
        """Do nothing: usage is counted per call from the run's events."""

    async def _ainject_files_from_inputs(self, inputs: dict[str, Any]) -> None:
        """Do nothing: runs have no input files."""

    def invoke(self, inputs: dict[str, Any]) -> Any:
        """Run delegated work, which is called in a tool's thread, in the attempt's event loop."""
        run = current_run.get()
        if run is None or is_inside_event_loop():
            return super().invoke(inputs)
        return run.run_blocking(self._invoke_with_timeout(inputs))

    async def _invoke_with_timeout(self, inputs: dict[str, Any]) -> Any:
        async with asyncio.timeout(self.agent.max_execution_time):
            return await self.invoke_async(inputs)

    async def call_llm_and_parse(self) -> str:
        if self.state.is_finished:
            return "parsed"
        try:
            self.state.current_answer = self._parse(await self._call_for_text())
        except OutputParserError as error:
            self._last_parser_error = error
            return "parser_error"
        except Exception as error:
            if not is_context_length_exceeded(error):
                raise
            self._last_context_error = error
            return "context_error"
        return "parsed"

    async def call_llm_native_tools(self) -> str:
        if self.state.is_finished:
            return "native_finished"
        self.state.pending_tool_calls.clear()
        try:
            answer = await self._call_llm(
                tools=self._openai_tools, available_functions=None, response_model=None
            )
        except Exception as error:  # noqa: BLE001 - re-raised unless the loop can recover
            return self._recovery_step(error)
        if isinstance(answer, list) and answer and self._is_tool_call_list(answer):
            self.state.pending_tool_calls = list(answer)
            return "native_tool_calls"
        finish = _to_finish(answer)
        self.state.current_answer = finish
        self._append_message_to_state(finish.text)
        return str(self._route_finish_with_todos("native_finished"))

    def _recovery_step(self, error: Exception) -> str:
        """Return the step that handles a failed model call. Raises the error when there is none."""
        if is_native_tool_calling_unsupported_error(error):
            self._downgrade_to_text_tool_calling()
            return "continue_reasoning"
        if is_context_length_exceeded(error):
            self._last_context_error = error
            return "context_error"
        raise error

    def ensure_force_final_answer(self) -> str:
        """Ask for a final answer without tools, and say that `max_iter` was reached."""
        if self.state.is_finished:
            return "agent_finished"
        if (run := current_run.get()) is not None:
            run.emit_warning(
                "max-iterations",
                f"The agent reached its limit of {self.max_iter} iterations (max_iter); "
                "it was asked for a final answer.",
            )
        result = str(super().ensure_force_final_answer())
        if isinstance(self.state.current_answer.output, list):
            raise UnusableModel(
                f"The agent reached its limit of {self.max_iter} iterations (max_iter), "
                "and the model called tools instead of giving a final answer.",
                code="max-iterations",
                hint="Raise the agent's max_iter, make the task smaller, or use a stronger model.",
            )
        return result

    def recover_from_context_length(self) -> str:
        # Enabled only here: CrewAI's check before each call guesses the window of models it does not know.
        self.respect_context_window = self.agent.respect_context_window
        try:
            return str(super().recover_from_context_length())
        except SystemExit:  # would end the event loop before its connections are closed
            raise UnusableModel(
                "The conversation exceeds the model's context window, and the agent may not shorten it.",
                code="context-too-long",
                hint="Use a model with a larger context window, or set respect_context_window.",
            ) from self._last_context_error
        finally:
            self.respect_context_window = False

    async def _call_for_text(self) -> Any:
        """Return the answer to a call without native tools; a model that calls one gets an error back.

        CrewAI would take the calls for the answer. Raises AnswerMissing.
        """
        model = None if self.original_tools else self.response_model
        for _ in range(1 + _MAX_REMINDERS):
            answer = await self._call_llm(response_model=model)
            if not isinstance(answer, list):
                return answer
            self._append_message_to_state(_TOOL_NOT_OFFERED, role="user")
        raise AnswerMissing("it calls tools that were not offered")

    async def _call_llm(self, **options: Any) -> Any:
        self.respect_context_window = False
        return await aget_llm_response(
            llm=self.llm,
            messages=list(self.state.messages),
            callbacks=self.callbacks,
            printer=PRINTER,
            from_task=self.task,
            from_agent=self.agent,
            executor_context=self,
            verbose=False,
            **options,
        )

    def _parse(self, answer: Any) -> Any:
        if isinstance(answer, BaseModel):
            return AgentFinish(thought="", output=answer, text=str(answer))
        return process_llm_response(answer, self.use_stop_words)


@functools.cache
def _step_templates() -> dict[str, FlowMethod[..., Any]]:
    names = AgentExecutor.flow_definition().methods
    return {name: FlowMethod(_step_function(name)) for name in names}


def _step_function(step: str) -> Any:
    function = AsyncAgentExecutor.__dict__.get(step) or inspect.getattr_static(AgentExecutor, step)
    return function.unwrap() if isinstance(function, FlowMethod) else function


def _is_coroutine_step(step: Any) -> bool:
    # CrewAI wraps each step, and before Python 3.12 a wrapper cannot be marked as a coroutine function.
    return inspect.iscoroutinefunction(getattr(step, "unwrap", lambda: step)())


def _to_finish(answer: Any) -> AgentFinish:
    if isinstance(answer, BaseModel):
        return AgentFinish(thought="", output=answer, text=answer.model_dump_json())
    text = answer if isinstance(answer, str) else str(answer)
    return AgentFinish(thought="", output=text, text=text)
