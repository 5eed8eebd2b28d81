"""Checks that the installed CrewAI works with `AsyncAgentExecutor`, by running a crew with a fake LLM."""

import asyncio

from crewai import Agent, Crew

from crewai_runner.executor.crew.build.task import InstrumentedTask
from crewai_runner.executor.crew.compat.agent_executor import AsyncAgentExecutor
from crewai_runner.executor.crew.compat.executor_check import find_changed_step, find_missing_members
from crewai_runner.executor.crew.compat.probe_llm import ProbeLLM
from crewai_runner.executor.crew.compat.run_scope import listen_to_events

TIMEOUT_SECONDS = 20.0
_REQUIRED_EVENTS = ("task_started", "agent_execution_started", "llm_call_started", "task_completed")
_NOT_ASYNC = "a model call was not made as a coroutine"


async def run_self_test() -> str | None:
    """Return why `AsyncAgentExecutor` cannot be used, or None when it can."""
    missing = find_missing_members()
    if missing is not None:
        return missing
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return find_changed_step() or await _test_run() or await _test_cancellation()
    except Exception as error:  # noqa: BLE001 - any failure means falling back to CrewAI's own executor
        return f"the self-test failed: {type(error).__name__}: {error}"


async def _test_run() -> str | None:
    event_types: list[str] = []
    listen_to_events(lambda _source, event: event_types.append(event.type))
    llm = ProbeLLM(model="self-test", api_key="none")
    output = await _create_crew(llm).akickoff()
    if llm.async_calls != 1 or output.raw != "done":
        return _NOT_ASYNC
    missing = [name for name in _REQUIRED_EVENTS if name not in event_types]
    return f"events are missing: {', '.join(missing)}" if missing else None


async def _test_cancellation() -> str | None:
    llm = ProbeLLM(model="self-test", api_key="none", hang=True)
    run = asyncio.create_task(_create_crew(llm).akickoff())
    while not llm.async_calls:
        await asyncio.sleep(0.005)
        if run.done():
            return _NOT_ASYNC
    run.cancel()
    await asyncio.wait([run])
    return None if llm.was_cancelled else "a cancelled run does not cancel its model call"


def _create_crew(llm: ProbeLLM) -> Crew:
    agent = Agent(
        role="self-test",
        goal="self-test",
        backstory="self-test",
        llm=llm,
        executor_class=AsyncAgentExecutor,
        max_retry_limit=0,
    )
    task = InstrumentedTask(description="self-test", expected_output="self-test", agent=agent)
    return Crew(agents=[agent], tasks=[task], verbose=False, tracing=False)
