"""Requests for calls of tools: asked once, edited and answered while the run goes on or waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from crewai_runner.domain.run import RunResult, RunState, StopMode, TaskResult
from crewai_runner.executor.port import (
    Completed,
    EventSink,
    NeedsHuman,
    Outcome,
    RunControl,
    RunSpec,
    Stopped,
)
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.executor.tool_requests import ToolAction, ToolDecision, ToolRequest, ToolResult
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import definition, started
from tests.support.harness import ON_SQLITE, TIMEOUT_SECONDS, RunHarness

pytestmark = ON_SQLITE
RESULT = RunResult(raw="Done.", tasks={"research": TaskResult(raw="Done.")})
PARAMETERS = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
REQUEST = ToolRequest(
    "k" * 64, "send_email", {"to": "ann@example.com"}, "research", "researcher", "call_1", PARAMETERS
)
FORM = {
    "type": "object",
    "properties": {"size": {"type": "integer", "minimum": 1}},
    "required": ["size"],
    "additionalProperties": False,
}
QUESTION = replace(REQUEST, key="q" * 64, arguments={}, parameters=FORM, question="Which size?")
Script = Callable[[RunSpec, RunControl], Awaitable[Outcome]]


class Asking(ScriptedExecutor):
    """Begins a task, then does what the script of the attempt says."""

    def __init__(self, *scripts: Script) -> None:
        super().__init__()
        self._scripts = list(scripts)
        self.decisions: list[ToolDecision] = []

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        sink(started("research"))
        return await self._scripts.pop(0)(spec, control)

    async def ask(self, control: RunControl, request: ToolRequest = REQUEST) -> ToolDecision:
        decision = await asyncio.wrap_future(control.ask_for_tool(request))
        self.decisions.append(decision)
        return decision


async def begin(harness: RunHarness, executor: Asking) -> tuple[str, "asyncio.Task[None]"]:
    """Start a run; returns its id, and the task that executes its first attempt."""
    harness.executor = executor
    run_id = await harness.create(NewRun(definition(), {"topic": "tea"}))
    return run_id, asyncio.create_task(harness.execute(run_id, 1))


async def wait_for_request(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while True:
            page = (await client.get(f"/approvals?runId={run_id}&status=open")).json()
            if page["approvals"]:
                found: dict[str, Any] = page["approvals"][0]
                return found
            await asyncio.sleep(0.02)


async def resolve(client: httpx.AsyncClient, approval: dict[str, Any], **body: Any) -> httpx.Response:
    return await client.post(f"/approvals/{approval['id']}/resolve", json=body)


def asking(executor: "Asking") -> Script:
    async def script(_spec: RunSpec, control: RunControl) -> Outcome:
        await executor.ask(control)
        return Completed(RESULT)

    return script


@pytest.fixture
def executor() -> Asking:
    executor = Asking()
    executor._scripts.append(asking(executor))
    return executor


class TestWhileTheRunGoesOn:
    async def test_edited_arguments_reach_the_attempt(
        self, harness: RunHarness, client: httpx.AsyncClient, executor: Asking
    ) -> None:
        run_id, running = await begin(harness, executor)
        approval = await wait_for_request(client, run_id)
        assert (approval["kind"], approval["tool"]) == ("tool_call", "send_email")
        assert approval["arguments"] == {"to": "ann@example.com"}
        assert (await harness.get_run(run_id)).state == RunState.RUNNING

        answer = await resolve(client, approval, action="approve", arguments={"to": "bob@example.com"})

        assert answer.status_code == 200, answer.text
        await asyncio.wait_for(running, TIMEOUT_SECONDS)
        assert executor.decisions == [ToolDecision(ToolAction.ALLOW, {"to": "bob@example.com"})]
        events = {event.type: event for event in await harness.events(run_id)}
        assert events["approval.requested"].data.arguments == {"to": "ann@example.com"}  # type: ignore[union-attr]
        resolved: Any = events["approval.resolved"].data
        assert (resolved.edited_arguments, resolved.by) == ({"to": "bob@example.com"}, "owner")
        assert (await harness.get_run(run_id)).state == RunState.COMPLETED

    async def test_refusal_does_not_fail_the_run(
        self, harness: RunHarness, client: httpx.AsyncClient, executor: Asking
    ) -> None:
        run_id, running = await begin(harness, executor)
        approval = await wait_for_request(client, run_id)

        await resolve(client, approval, action="reject", feedback="Not her.")

        await asyncio.wait_for(running, TIMEOUT_SECONDS)
        assert executor.decisions == [ToolDecision(ToolAction.DENY, feedback="Not her.")]
        assert (await harness.get_run(run_id)).state == RunState.COMPLETED

    async def test_stop_cancels_the_request(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        executor = Asking()

        async def wait_for_stop(_spec: RunSpec, control: RunControl) -> Outcome:
            stopped = asyncio.Event()
            loop = asyncio.get_running_loop()
            control.on_stop(lambda: loop.call_soon_threadsafe(stopped.set))
            control.ask_for_tool(REQUEST)
            await stopped.wait()
            return Stopped()

        executor._scripts.append(wait_for_stop)
        run_id, running = await begin(harness, executor)
        await wait_for_request(client, run_id)

        await client.post(f"/runs/{run_id}/stop", json={"mode": StopMode.NOW})

        await asyncio.wait_for(running, TIMEOUT_SECONDS)
        assert (await harness.get_run(run_id)).state == RunState.STOPPED
        (approval,) = (await client.get(f"/approvals?runId={run_id}")).json()["approvals"]
        assert approval["status"] == "cancelled"

    @pytest.mark.parametrize(
        "body",
        [
            {"action": "revise", "feedback": "x"},
            {"action": "approve", "edited": "x"},
            {"action": "reject", "arguments": {}},
            {"action": "approve", "arguments": {}},
            {"action": "approve", "arguments": {"to": ["bob@example.com"]}},
            {"action": "approve", "arguments": {"text": "x" * 200_000}},
        ],
    )
    async def test_resolutions_that_do_not_fit(
        self, harness: RunHarness, client: httpx.AsyncClient, executor: Asking, body: dict[str, Any]
    ) -> None:
        run_id, running = await begin(harness, executor)
        approval = await wait_for_request(client, run_id)

        assert (await resolve(client, approval, **body)).status_code == 422

        await resolve(client, approval, action="approve")
        await asyncio.wait_for(running, TIMEOUT_SECONDS)

    async def test_always_in_this_run(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        executor = Asking()

        async def ask_twice(_spec: RunSpec, control: RunControl) -> Outcome:
            await executor.ask(control)
            await executor.ask(control, ToolRequest("m" * 64, "send_email", {"to": "eve@example.com"}))
            return Completed(RESULT)

        executor._scripts.append(ask_twice)
        run_id, running = await begin(harness, executor)
        approval = await wait_for_request(client, run_id)

        await resolve(client, approval, action="approve", forRun=True)

        await asyncio.wait_for(running, TIMEOUT_SECONDS)
        assert [decision.for_run for decision in executor.decisions] == [True, True]


class TestQuestionOfATool:
    @pytest.fixture
    def executor(self) -> Asking:
        executor = Asking()

        async def ask(_spec: RunSpec, control: RunControl) -> Outcome:
            await executor.ask(control, QUESTION)
            return Completed(RESULT)

        executor._scripts.append(ask)
        return executor

    async def test_answer_reaches_the_attempt(
        self, harness: RunHarness, client: httpx.AsyncClient, executor: Asking
    ) -> None:
        run_id, running = await begin(harness, executor)
        approval = await wait_for_request(client, run_id)
        assert (approval["kind"], approval["prompt"]) == ("tool_question", "Which size?")
        assert (approval["tool"], approval["parameters"]) == ("send_email", FORM)
        for body in (
            {"action": "approve"},
            {"action": "approve", "arguments": {"size": 0}},
            {"action": "approve", "arguments": {"size": 1, "x": 2}},
            {"action": "approve", "arguments": {"size": 1}, "forRun": True},
            {"action": "answer", "answer": "1"},
        ):
            assert (await resolve(client, approval, **body)).status_code == 422, body

        answer = await resolve(client, approval, action="approve", arguments={"size": 3})

        assert answer.status_code == 200, answer.text
        await asyncio.wait_for(running, TIMEOUT_SECONDS)
        assert executor.decisions == [ToolDecision(ToolAction.ALLOW, {"size": 3})]
        events: dict[str, Any] = {event.type: event.data for event in await harness.events(run_id)}
        assert events["approval.requested"].prompt == "Which size?"
        assert events["approval.resolved"].edited_arguments == {"size": 3}

    async def test_calls_that_are_always_allowed_answer_no_question(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        executor = Asking()

        async def ask_both(_spec: RunSpec, control: RunControl) -> Outcome:
            await executor.ask(control)
            await executor.ask(control, QUESTION)
            return Completed(RESULT)

        executor._scripts.append(ask_both)
        run_id, running = await begin(harness, executor)
        await resolve(client, await wait_for_request(client, run_id), action="approve", forRun=True)

        question = await wait_for_request(client, run_id)

        assert question["kind"] == "tool_question"
        await resolve(client, question, action="reject")
        await asyncio.wait_for(running, TIMEOUT_SECONDS)
        assert executor.decisions[1] == ToolDecision(ToolAction.DENY)


class TestWhileTheRunWaits:
    async def test_answer_queues_the_next_attempt_which_finds_it(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        executor = Asking()

        async def give_up(_spec: RunSpec, control: RunControl) -> Outcome:
            control.ask_for_tool(REQUEST)
            await wait_for_request(client, run_id)
            return NeedsHuman("research", "researcher", "", tool_call=REQUEST.key)

        executor._scripts += [give_up, asking(executor)]
        harness.executor = executor
        run_id = await harness.create(NewRun(definition(), {"topic": "tea"}))
        await harness.execute(run_id, 1)
        run = await harness.get_run(run_id)
        assert (run.state, run.wait_reason) == (RunState.WAITING, "human-input")

        await resolve(client, await wait_for_request(client, run_id), action="approve")
        await harness.execute(run_id, 2)

        assert executor.decisions == [ToolDecision(ToolAction.ALLOW)]
        assert (await harness.get_run(run_id)).state == RunState.COMPLETED
        types = await harness.event_types(run_id)
        assert types.count("approval.requested") == 1

    async def test_answer_just_before_the_attempt_ends_is_not_lost(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        executor = Asking()

        async def give_up_late(_spec: RunSpec, control: RunControl) -> Outcome:
            control.ask_for_tool(REQUEST)
            await resolve(client, await wait_for_request(client, run_id), action="approve")
            return NeedsHuman("research", "researcher", "", tool_call=REQUEST.key)

        executor._scripts += [give_up_late, asking(executor)]
        harness.executor = executor
        run_id = await harness.create(NewRun(definition(), {"topic": "tea"}))

        await harness.execute(run_id, 1)
        assert (await harness.get_run(run_id)).state == RunState.QUEUED
        await harness.execute(run_id, 2)

        assert (await harness.get_run(run_id)).state == RunState.COMPLETED

    async def test_results_are_there_for_the_next_attempt(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        executor, found = Asking(), dict[str, str]()

        async def save(_spec: RunSpec, control: RunControl) -> Outcome:
            await asyncio.wrap_future(control.save_tool_result(ToolResult("a" * 64, "send_email", "sent")))
            control.ask_for_tool(REQUEST)
            await wait_for_request(client, run_id)
            return NeedsHuman("research", "researcher", "", tool_call=REQUEST.key)

        async def look(spec: RunSpec, _control: RunControl) -> Outcome:
            found.update(spec.tool_results)
            return Completed(RESULT)

        executor._scripts += [save, look]
        harness.executor = executor
        run_id = await harness.create(NewRun(definition(), {"topic": "tea"}))
        await harness.execute(run_id, 1)
        await resolve(client, await wait_for_request(client, run_id), action="approve")

        await harness.execute(run_id, 2)

        assert found == {"a" * 64: "sent"}
