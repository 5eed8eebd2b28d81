import asyncio
import gc
import os
import re
import threading
from collections import Counter
from pathlib import Path

import pytest

from crewai_runner.executor.port import Completed, RunSpec
from tests.executor.crew.kit import CANARY, Heard, Stage, agent, chain, task, workflow
from tests.support.scripted_provider import CallTools, Fail, Hang, RecordedRequest, Reply, Say

pytestmark = pytest.mark.crew

MARKER = re.compile(r"MARK-(\d+)-")


def echo(request: RecordedRequest) -> Reply:
    marker = MARKER.search(request.text)
    assert marker is not None
    if request.tools and "tool" not in [message["role"] for message in request.messages]:
        return CallTools([("calculator", {"expression": f"{marker.group(1)} + 0"})])
    return Say(f"answer to {marker.group(0)} of call {request.number}")


def marked(stage: Stage, number: int) -> RunSpec:
    tasks = [
        task("draft", description="Do MARK-{n}- first", tools=["calculator"]),
        task("edit", "editor", description="Do MARK-{n}- next", async_execution=number % 2 == 0),
    ]
    definition = workflow([agent("writer"), agent("editor")], tasks)
    return stage.spec(definition, inputs={"n": number}, run_id=f"run-{number}", stream_tokens=number % 3 == 0)


async def test_fifty_runs_at_once_tell_their_own_story_alone(stage: Stage) -> None:
    stage.provider.on(echo)

    runs = await asyncio.gather(*(stage.perform(marked(stage, number)) for number in range(50)))

    for number, heard in enumerate(runs):
        assert isinstance(heard.outcome, Completed)
        assert {event.run_id for event in heard.events} == {f"run-{number}"}
        assert set(MARKER.findall(heard.everything())) == {str(number)}
        assert heard.one("tool.completed").data.output == str(number)
        assert Counter(heard.types) == {
            "task.started": 2,
            "agent.started": 2,
            "llm.started": 3,
            "llm.completed": 3,
            "tool.started": 1,
            "tool.completed": 1,
            "agent.completed": 2,
            "task.completed": 2,
        }
        assert [event.data.call for event in heard.of("llm.started")] == [1, 2, 3]
        assert heard.types[0] == "task.started"
        assert heard.types[-1] == "task.completed"


async def test_the_engine_s_own_listeners_stay_off(stage: Stage) -> None:
    from crewai.events.event_bus import crewai_event_bus

    await stage.play()

    assert not crewai_event_bus._sync_handlers
    assert not crewai_event_bus._async_handlers


async def test_no_run_hears_what_another_was_told(stage: Stage) -> None:
    one, other = await asyncio.gather(stage.play(chain()), stage.play(chain()))

    calls = [{event.data.call_id for event in heard.of("llm.started")} for heard in (one, other)]
    assert not calls[0] & calls[1]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_hundred_runs_leave_nothing_behind(stage: Stage) -> None:
    from crewai.events.event_listener import event_listener

    stage.provider.on(Fail(500), contains="Do bad")
    stage.provider.on(Hang(), contains="Do hang")

    async def batch(size: int) -> None:
        good = [stage.perform(stage.spec(chain())) for _ in range(size)]
        bad = [stage.perform(stage.spec(workflow(tasks=[task("bad")]))) for _ in range(size // 5)]
        begun = [stage.begin(stage.spec(workflow(tasks=[task("hang")]))) for _ in range(size // 5)]
        await asyncio.gather(*good, *bad)
        for heard, run in begun:
            while not heard.of("llm.started"):
                await asyncio.sleep(0.01)
            heard.control.stop()
            await run

    await batch(10)
    gc.collect()
    threads, files = threading.active_count(), open_files()

    for _ in range(7):
        await batch(10)
    gc.collect()

    assert threading.active_count() <= threads + 10
    assert open_files() <= files + 10
    assert len(event_listener.execution_spans) == 0


async def test_no_key_leaves_in_any_event_or_outcome(
    stage: Stage, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    stage.provider.then(Say(f"the key is {CANARY}"))
    stage.provider.on(Fail(401, f"Incorrect API key provided: {CANARY}"), contains="Do edit")

    good = await stage.play(stage_tools())
    bad = await stage.play(chain())

    for heard in (good, bad):
        assert heard.events
        assert CANARY not in heard.everything()
    assert CANARY not in caplog.text
    printed = capfd.readouterr()
    assert CANARY not in printed.out + printed.err
    assert all(request.api_key == CANARY for request in stage.provider.requests)


def stage_tools() -> object:
    return workflow([agent(tools=["calculator"])])


async def test_keys_of_the_environment_reach_no_provider(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENROUTER_API_KEY"):
        monkeypatch.setenv(name, "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    keyless = stage.model(api_key=None)
    spec = stage.spec(workflow(tasks=[task(guardrails=["polite"])]), models=[keyless])
    stage.provider.on(Say('{"valid": true}'), contains="Ensure the following task result complies")

    heard = await stage.perform(spec)

    assert isinstance(heard.outcome, Completed)
    assert stage.provider.requests
    assert not any("sk-of-the-environment" in str(r.headers) for r in stage.provider.requests)
    assert os.environ["OPENAI_API_KEY"] == "sk-of-the-environment"


async def test_long_texts_are_shortened_in_events_but_whole_in_the_result(stage: Stage) -> None:
    stage.provider.then(Say("x" * 300_000))

    heard: Heard = await stage.play()

    assert isinstance(heard.outcome, Completed)
    assert len(heard.outcome.result.raw) == 300_000
    assert len(heard.one("task.completed").data.raw) == 300_000
    told = heard.one("llm.completed").data.text
    assert len(told) < 257_000
    assert told.endswith("[truncated: 300000 characters in total]")


async def test_the_prompt_is_told_short(stage: Stage) -> None:
    heard = await stage.play(workflow(tasks=[task(description="long " * 2_000)]))

    assert len(heard.one("llm.started").data.prompt) < 2_100
