"""Whether the installed engine is still the one that the native executor leans on, tried out at load."""

import asyncio
import inspect
from typing import Any

from crewai import Agent, Crew
from crewai.agents.agent_executor import AgentExecutor
from crewai.events.stream_context import add_stream_sink
from crewai.llms.base_llm import BaseLLM
from crewai_core.printer import set_suppress_console_output

from crewai_runner.executor.crew.native import NativeExecutor
from crewai_runner.executor.crew.tasks import ToldTask

_STEPS = ("call_llm_and_parse", "call_llm_native_tools")
_LEANS_ON = (
    "_create_initial_state",
    "_route_finish_with_todos",
    "_append_message_to_state",
    "_is_tool_call_list",
    "_downgrade_to_text_tool_calling",
    "_attach_usage_aggregation_listener",
    "_ainject_files_from_inputs",
    "recover_from_context_length",
    "invoke_async",
    "invoke",
)
_HEARD = ("task_started", "agent_execution_started", "llm_call_started", "task_completed")
TRIAL_SECONDS = 20.0


class _TrialModel(BaseLLM):  # type: ignore[misc]
    """Answers at once, or never; knows whether it was called natively and cut short."""

    hang: bool = False
    native_calls: int = 0
    cut_short: bool = False

    def call(self, *_args: Any, **_kwargs: Any) -> str:
        return "called in a thread"

    async def acall(self, *_args: Any, **kwargs: Any) -> str:
        self.native_calls += 1
        self._emit_call_started_event(messages="trial", from_agent=kwargs.get("from_agent"))
        if not self.hang:
            return "done"
        try:
            await asyncio.Event().wait()
        finally:
            self.cut_short = True
        return "never"


async def broken_promise() -> str | None:
    """What the engine no longer keeps of what the native executor needs; None when all is well."""
    missing = [name for name in (*_STEPS, *_LEANS_ON) if not hasattr(AgentExecutor, name)]
    if missing:
        return f"the engine's loop has no {', '.join(missing)}"
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            return _step_that_moved() or await _try_out()
    except Exception as error:  # noqa: BLE001 - whatever it is, the stock executor is the answer
        return f"the trial failed: {type(error).__name__}: {error}"


def _step_that_moved() -> str | None:
    steps = NativeExecutor.flow_definition().methods
    for name in _STEPS:
        if name not in steps:
            return f"{name} is no longer a step of the loop"
        if inspect.iscoroutinefunction(getattr(AgentExecutor, name)):
            return f"{name} is already a coroutine in the engine"
    return None


async def _try_out() -> str | None:
    set_suppress_console_output(True)
    heard: list[str] = []
    add_stream_sink(lambda _source, event: heard.append(event.type))
    model = _TrialModel(model="trial", api_key="none")
    output = await _crew(model).akickoff()
    if model.native_calls != 1 or output.raw != "done":
        return "a model call was not made as a coroutine"
    silent = [name for name in _HEARD if name not in heard]
    if silent:
        return f"events are not heard: {', '.join(silent)}"
    return await _try_to_cut_short()


async def _try_to_cut_short() -> str | None:
    model = _TrialModel(model="trial", api_key="none", hang=True)
    run = asyncio.create_task(_crew(model).akickoff())
    while not model.native_calls:
        await asyncio.sleep(0.005)
        if run.done():
            return "a model call was not made as a coroutine"
    run.cancel()
    await asyncio.wait([run])
    return None if model.cut_short else "a cancelled run does not close its model call"


def _crew(model: BaseLLM) -> Crew:
    agent = Agent(
        role="trial",
        goal="trial",
        backstory="trial",
        llm=model,
        executor_class=NativeExecutor,
        max_retry_limit=0,
    )
    task = ToldTask(description="trial", expected_output="trial", agent=agent)
    return Crew(agents=[agent], tasks=[task], verbose=False, tracing=False)
