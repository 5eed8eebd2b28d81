import json
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.domain.provider import ModelKind
from crewai_runner.executor.port import Completed, Failed, RunSpec, Stopped
from tests.executor.crew.kit import Stage, agent, stop_after, task, workflow
from tests.support.scripted_provider import Hang, RecordedRequest, Say

pytestmark = pytest.mark.crew

FACT = "The harvest festival of Ottery falls on the ninth of October."


@pytest.mark.parametrize(
    "definition",
    [
        workflow(memory=True),
        workflow(knowledge=[FACT]),
        workflow([agent(knowledge=[FACT])]),
        workflow(memory=True, embedder="not registered"),
    ],
)
async def test_without_an_embedder_nothing_is_asked_and_the_cause_is_clear(
    stage: Stage, definition: Any
) -> None:
    heard = await stage.play(definition)

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "embedder-missing"
    assert heard.outcome.failure.hint
    assert stage.provider.requests == []


def with_embedder(stage: Stage, definition: Any, **settings: Any) -> RunSpec:
    models = [stage.model(), stage.embedder()]
    return stage.spec(definition, models=models, **settings)


@pytest.mark.parametrize(
    "definition",
    [
        workflow(knowledge=[FACT], embedder="embedder"),
        workflow([agent(knowledge=[FACT])], embedder="embedder"),
    ],
)
async def test_what_is_known_reaches_the_prompt(stage: Stage, definition: Any) -> None:
    stage.provider.on(Say(FACT), contains="The original query is")  # the same words embed alike

    heard = await stage.perform(with_embedder(stage, definition))

    assert isinstance(heard.outcome, Completed)
    assert FACT in stage.provider.requests[-1].text
    assert stage.provider.other_requests


async def test_knowledge_that_cannot_be_embedded_fails_the_run(stage: Stage) -> None:
    nowhere = stage.model("embedder", kind=ModelKind.EMBEDDER, base_url="http://127.0.0.1:9/v1")
    spec = stage.spec(workflow(knowledge=[FACT], embedder="embedder"), models=[stage.model(), nowhere])

    heard = await stage.perform(spec)

    assert isinstance(heard.outcome, Failed)
    assert heard.outcome.failure.code == "provider-unreachable"


REMEMBERING = workflow(tasks=[task("draft"), task("again")], memory=True, embedder="embedder")


EXTRACTED = Say(json.dumps({"memories": [FACT]}))


def extracts(request: RecordedRequest) -> bool:
    return "response_format" in request.payload and "memories" in str(request.payload["response_format"])


async def test_a_crew_with_memory_remembers_within_its_scope(stage: Stage) -> None:
    stage.provider.on(lambda request: EXTRACTED if extracts(request) else Say("fine"))

    await stage.perform(with_embedder(stage, REMEMBERING, memory_scope="ws1/wf1"))
    same = await stage.perform(with_embedder(stage, REMEMBERING, memory_scope="ws1/wf1"))
    other = await stage.perform(with_embedder(stage, REMEMBERING, memory_scope="ws2/wf1"))

    assert not same.of("warning.raised")
    prompts = [heard.of("llm.started")[0].data.prompt for heard in (same, other)]
    assert isinstance(same.outcome, Completed)
    assert [FACT in prompt for prompt in prompts] == [True, False]
    assert {event.task_key for event in same.of("llm.started")} == {"draft", "again"}


async def test_a_memory_that_cannot_be_saved_is_a_warning(stage: Stage) -> None:
    nowhere = stage.model("embedder", kind=ModelKind.EMBEDDER, base_url="http://127.0.0.1:9/v1")

    heard = await stage.perform(
        stage.spec(REMEMBERING, models=[stage.model(), nowhere], memory_scope="ws1/wf2")
    )

    assert isinstance(heard.outcome, Completed)
    assert "memory-save-failed" in {event.data.code for event in heard.of("warning.raised")}


async def test_memories_of_one_run_alone_are_removed(stage: Stage) -> None:
    folder = Path(stage.executor._data_dir) / "memories"  # type: ignore[attr-defined]
    before = set(folder.iterdir()) if folder.exists() else set()

    heard = await stage.perform(with_embedder(stage, REMEMBERING))

    assert isinstance(heard.outcome, Completed)
    assert set(folder.iterdir()) == before


async def test_a_stop_reaches_a_memory_in_the_making(stage: Stage) -> None:
    stage.provider.on(Say("a draft to remember"), contains="Do draft", times=1)
    stage.provider.on(Hang())
    heard, run = stage.begin(with_embedder(stage, REMEMBERING, memory_scope="ws1/wf3"))

    seconds = await stop_after(stage, heard, run, 2)

    await stage.disconnects(1)
    assert seconds < 1.5
    assert isinstance(heard.outcome, Stopped)
    assert heard.outcome.llm_calls_after_stop == 0
