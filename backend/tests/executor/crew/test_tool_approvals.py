"""Policies of tools and calls that a person must allow, with the real CrewAI."""

import asyncio
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from crewai_runner.executor.port import Completed, Failed, NeedsHuman, RunSpec, Stopped
from crewai_runner.executor.tool_binding import ToolEffect
from crewai_runner.executor.tool_requests import ToolAction, ToolDecision, ToolRequest, ToolResult
from crewai_runner.executor.tool_rules import ToolRules
from tests.executor.crew.harness import EngineHarness, Recorder, agent, task, workflow
from tests.support.scripted_provider import CallTools, Say

pytestmark = pytest.mark.crew
ASK = ToolRules(policy="ask")
TWO, FOUR = (("calculator", {"expression": text}) for text in ("1+1", "2+2"))


@dataclass
class Person:
    """Records what is asked; answers when `decide` is called, or at once with `always`."""

    always: ToolDecision | None = None
    requests: list[ToolRequest] = field(default_factory=list)
    results: list[ToolResult] = field(default_factory=list)
    open: list[Future[ToolDecision]] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def listen_to(self, recorder: Recorder) -> None:
        loop = asyncio.get_running_loop()

        def ask(request: ToolRequest) -> Future[ToolDecision]:
            self.requests.append(request)
            future: Future[ToolDecision] = Future()
            self.open.append(future)
            if self.always is not None:
                future.set_result(self.always)
            loop.call_soon_threadsafe(self.asked.set)
            return future

        def save(result: ToolResult) -> Future[None]:
            self.results.append(result)
            stored: Future[None] = Future()
            stored.set_result(None)
            return stored

        recorder.control.ask, recorder.control.save = ask, save

    def decide(self, decision: ToolDecision) -> None:
        self.open[-1].set_result(decision)


def spec_for(
    harness: EngineHarness, rules: ToolRules, effect: ToolEffect = ToolEffect.READ, **settings: Any
) -> RunSpec:
    spec = harness.spec(workflow([agent(tools=["calculator"])]), **settings)
    tools = {
        name: replace(tool, rules=rules, effect=effect, is_pure=False) for name, tool in spec.tools.items()
    }
    return replace(spec, tools=tools)


async def run(harness: EngineHarness, spec: RunSpec, person: Person) -> Recorder:
    recorder = Recorder()
    person.listen_to(recorder)
    recorder.outcome = await harness.executor.execute(spec, recorder.sink, recorder.control)
    return recorder


class TestPolicy:
    async def test_denied_tool_is_not_called(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), Say("done"))
        person = Person()

        recorder = await run(harness, spec_for(harness, ToolRules(policy="deny")), person)

        assert isinstance(recorder.outcome, Completed)
        assert "denies it" in recorder.one("tool.failed").data.message
        assert person.requests == []

    @pytest.mark.parametrize(("effect", "asked"), [(ToolEffect.READ, 0), (ToolEffect.WRITE, 1)])
    async def test_by_default_only_writing_asks(
        self, harness: EngineHarness, effect: ToolEffect, asked: int
    ) -> None:
        harness.provider.then(CallTools([TWO]), Say("done"))
        person = Person(ToolDecision(ToolAction.ALLOW))

        await run(harness, spec_for(harness, ToolRules(), effect), person)

        assert len(person.requests) == asked

    async def test_agent_has_a_policy_of_its_own(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), Say("done"))
        person = Person()
        rules = ToolRules(policy="deny", by_agent={"writer": "allow"})

        recorder = await run(harness, spec_for(harness, rules), person)

        assert recorder.one("tool.completed").data.output == "2"

    async def test_limit_of_calls(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), CallTools([FOUR]), Say("done"))

        recorder = await run(harness, spec_for(harness, ToolRules(max_calls=1)), Person())

        assert len(recorder.all("tool.completed")) == 1
        assert "1 times in a run" in recorder.one("tool.failed").data.message


class TestAsking:
    async def test_tool_receives_the_edited_arguments(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), Say("done"))
        person = Person(ToolDecision(ToolAction.ALLOW, {"expression": "20+22"}))

        recorder = await run(harness, spec_for(harness, ASK), person)

        assert person.requests[0].arguments == {"expression": "1+1"}
        assert (person.requests[0].agent, person.requests[0].task_key) == ("writer", "draft")
        assert recorder.one("tool.completed").data.output == "42"

    async def test_model_receives_the_refusal(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), Say("done"))
        person = Person(ToolDecision(ToolAction.DENY, feedback="Use your head."))

        recorder = await run(harness, spec_for(harness, ASK), person)

        assert isinstance(recorder.outcome, Completed)
        assert "Use your head." in str(harness.provider.requests[1].last_message)

    async def test_edited_arguments_are_checked(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), Say("done"))
        person = Person(ToolDecision(ToolAction.ALLOW, {"wrong": 1}))

        recorder = await run(harness, spec_for(harness, ASK), person)

        assert "not valid" in recorder.one("tool.failed").data.message

    async def test_always_in_this_run(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), CallTools([FOUR]), Say("done"))
        person = Person(ToolDecision(ToolAction.ALLOW, for_run=True))

        recorder = await run(harness, spec_for(harness, ASK), person)

        assert len(person.requests) == 1
        assert len(recorder.all("tool.completed")) == 2

    async def test_other_task_goes_on(self, harness: EngineHarness) -> None:
        tasks = [task("left", "writer", async_execution=True), task("right", "editor", async_execution=True)]
        join = task("join", "editor", context=["left", "right"])
        definition = workflow([agent("writer", tools=["calculator"]), agent("editor")], [*tasks, join])
        harness.provider.on(CallTools([TWO]), contains="Do left", times=1)
        spec = harness.spec(definition)
        spec = replace(
            spec, tools={"calculator": replace(spec.tools["calculator"], rules=ASK)}, tool_wait_seconds=60
        )
        recorder, person = Recorder(), Person()
        person.listen_to(recorder)
        running = asyncio.ensure_future(harness.executor.execute(spec, recorder.sink, recorder.control))
        async with asyncio.timeout(30):
            await person.asked.wait()
            while not any(event.task_key == "right" for event in recorder.all("task.completed")):
                await asyncio.sleep(0.02)

        assert not running.done()
        person.decide(ToolDecision(ToolAction.ALLOW))
        async with asyncio.timeout(30):
            assert isinstance(await running, Completed)

    async def test_stop_while_waiting(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]))
        recorder, person = Recorder(), Person()
        person.listen_to(recorder)
        running = asyncio.ensure_future(
            harness.executor.execute(spec_for(harness, ASK), recorder.sink, recorder.control)
        )
        async with asyncio.timeout(30):
            await person.asked.wait()
            recorder.control.stop()
            outcome = await running

        assert isinstance(outcome, Stopped)
        assert outcome.abandoned == ()
        assert recorder.all("tool.completed") == []

    async def test_long_wait_ends_the_attempt(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]))
        person = Person()

        recorder = await run(harness, spec_for(harness, ASK, tool_wait_seconds=0.2), person)

        assert isinstance(recorder.outcome, NeedsHuman)
        assert recorder.outcome.tool_call == person.requests[0].key
        assert recorder.outcome.task_key == "draft"

    async def test_expired_request_fails_the_run(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]))

        recorder = await run(harness, spec_for(harness, ASK), Person(ToolDecision(ToolAction.EXPIRED)))

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "approval-expired"


class TestResumedTask:
    async def test_the_same_call_has_the_same_key(self, harness: EngineHarness) -> None:
        keys: list[list[str]] = []
        for _ in range(2):
            person = Person(ToolDecision(ToolAction.ALLOW))
            harness.provider.then(CallTools([TWO]), CallTools([TWO]), Say("done"))
            await run(harness, spec_for(harness, ASK), person)
            keys.append([request.key for request in person.requests])

        assert keys[0] == keys[1]
        assert len(set(keys[0])) == 2  # the second call with the same arguments is another one

    async def test_recorded_result_is_used_again(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([TWO]), Say("done"))
        first = Person(ToolDecision(ToolAction.ALLOW))
        await run(harness, spec_for(harness, ASK, ToolEffect.WRITE), first)
        (result,) = first.results
        harness.provider.then(CallTools([TWO]), Say("done"))
        second = Person()
        spec = spec_for(harness, ASK, ToolEffect.WRITE, tool_results={result.key: "sent before"})

        recorder = await run(harness, spec, second)

        assert isinstance(recorder.outcome, Completed)
        assert second.requests == second.results == []
        assert recorder.one("tool.completed").data.output == "sent before"
