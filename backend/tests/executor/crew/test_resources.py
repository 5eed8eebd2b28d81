import json
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.domain.provider import ModelKind
from crewai_runner.executor.port import Completed, Failed, RunSpec, Stopped
from tests.executor.crew.harness import EngineHarness, agent, stop_after, task, workflow
from tests.support.scripted_provider import Hang, RecordedRequest, Say

pytestmark = pytest.mark.crew
FACT = "The harvest festival of Ottery falls on the ninth of October."


def with_embedder(harness: EngineHarness, definition: Any, **settings: Any) -> RunSpec:
    models = [harness.model(), harness.embedder()]
    return harness.spec(definition, models=models, **settings)


WITH_MEMORY = workflow(tasks=[task("draft"), task("again")], memory=True, embedder="embedder")
EXTRACTED_MEMORIES = Say(json.dumps({"memories": [FACT]}))


def is_extraction(request: RecordedRequest) -> bool:
    return "response_format" in request.payload and "memories" in str(request.payload["response_format"])


class TestKnowledge:
    @pytest.mark.parametrize(
        "definition",
        [
            workflow(knowledge=[FACT], embedder="embedder"),
            workflow([agent(knowledge=[FACT])], embedder="embedder"),
        ],
    )
    async def test_is_in_the_prompt(self, harness: EngineHarness, definition: Any) -> None:
        harness.provider.on(
            Say(FACT), contains="The original query is"
        )  # the same text has the same embedding

        recorder = await harness.run_spec(with_embedder(harness, definition))

        assert isinstance(recorder.outcome, Completed)
        assert FACT in harness.provider.requests[-1].text
        assert harness.provider.other_requests

    async def test_unreachable_embedder_fails_the_run(self, harness: EngineHarness) -> None:
        unreachable = harness.model("embedder", kind=ModelKind.EMBEDDER, base_url="http://127.0.0.1:9/v1")
        spec = harness.spec(
            workflow(knowledge=[FACT], embedder="embedder"), models=[harness.model(), unreachable]
        )

        recorder = await harness.run_spec(spec)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "provider-unreachable"


class TestMemory:
    async def test_is_shared_within_its_scope_only(self, harness: EngineHarness) -> None:
        harness.provider.on(lambda request: EXTRACTED_MEMORIES if is_extraction(request) else Say("fine"))

        await harness.run_spec(with_embedder(harness, WITH_MEMORY, memory_scope="ws1/wf1"))
        same_scope = await harness.run_spec(with_embedder(harness, WITH_MEMORY, memory_scope="ws1/wf1"))
        other_scope = await harness.run_spec(with_embedder(harness, WITH_MEMORY, memory_scope="ws2/wf1"))

        assert not same_scope.all("warning.raised")
        prompts = [
            next(event.data.prompt for event in recorder.all("llm.started") if event.data.model == "main")
            for recorder in (same_scope, other_scope)
        ]
        assert isinstance(same_scope.outcome, Completed)
        assert [FACT in prompt for prompt in prompts] == [True, False]
        assert {event.task_key for event in same_scope.all("llm.started")} == {"draft", "again"}

    async def test_failed_save_is_a_warning(self, harness: EngineHarness) -> None:
        unreachable = harness.model("embedder", kind=ModelKind.EMBEDDER, base_url="http://127.0.0.1:9/v1")

        recorder = await harness.run_spec(
            harness.spec(WITH_MEMORY, models=[harness.model(), unreachable], memory_scope="ws1/wf2")
        )

        assert isinstance(recorder.outcome, Completed)
        assert "memory-save-failed" in {event.data.code for event in recorder.all("warning.raised")}

    async def test_memory_without_a_scope_is_deleted_after_the_run(self, harness: EngineHarness) -> None:
        folder = Path(harness.executor._data_dir) / "memories"  # type: ignore[attr-defined]
        before = set(folder.iterdir()) if folder.exists() else set()

        recorder = await harness.run_spec(with_embedder(harness, WITH_MEMORY))

        assert isinstance(recorder.outcome, Completed)
        assert set(folder.iterdir()) == before

    async def test_stop_cancels_a_save(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("a draft to remember"), contains="Do draft", times=1)
        harness.provider.on(Hang())
        recorder, run = harness.start(with_embedder(harness, WITH_MEMORY, memory_scope="ws1/wf3"))

        await stop_after(harness, recorder, run, 2)

        await harness.wait_for_disconnects(1)
        assert isinstance(recorder.outcome, Stopped)
        assert recorder.outcome.llm_calls_after_stop == 0


class TestRequireEmbedder:
    @pytest.mark.parametrize(
        "definition",
        [
            workflow(memory=True),
            workflow(knowledge=[FACT]),
            workflow([agent(knowledge=[FACT])]),
            workflow(memory=True, embedder="not registered"),
        ],
    )
    async def test_run_without_an_embedder_fails_before_any_call(
        self, harness: EngineHarness, definition: Any
    ) -> None:
        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "embedder-missing"
        assert recorder.outcome.failure.hint
        assert harness.provider.requests == []
