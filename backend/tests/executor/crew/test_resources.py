import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.domain.provider import ModelKind
from crewai_runner.executor.knowledge_chunks import KnowledgeChunk
from crewai_runner.executor.memory_records import MemoryChange, StoredMemory
from crewai_runner.executor.port import Completed, Failed, RunControl, RunSpec, Stopped
from tests.executor.crew.harness import EngineHarness, agent, stop_after, task, workflow
from tests.support.scripted_provider import Hang, RecordedRequest, Say

pytestmark = pytest.mark.crew
AT = datetime(2026, 11, 1, tzinfo=UTC)
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

    async def test_chunks_of_files_are_in_the_prompt(self, harness: EngineHarness) -> None:
        harness.provider.on(Say(FACT), contains="The original query is")
        spec = replace(
            with_embedder(harness, workflow(embedder="embedder")),
            knowledge=[KnowledgeChunk("dates.md", FACT)],
        )

        recorder = await harness.run_spec(spec)

        assert isinstance(recorder.outcome, Completed)
        assert f"[dates.md]\n{FACT}" in harness.provider.requests[-1].text

    async def test_unreachable_embedder_fails_the_run(self, harness: EngineHarness) -> None:
        unreachable = harness.model("embedder", kind=ModelKind.EMBEDDER, base_url="http://127.0.0.1:9/v1")
        spec = harness.spec(
            workflow(knowledge=[FACT], embedder="embedder"), models=[harness.model(), unreachable]
        )

        recorder = await harness.run_spec(spec)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "provider-unreachable"


class TestMemory:
    async def test_is_handed_over_and_given_to_the_next_run(self, harness: EngineHarness) -> None:
        harness.provider.on(lambda request: EXTRACTED_MEMORIES if is_extraction(request) else Say("fine"))
        saved: dict[str, StoredMemory] = {}

        def store(changes: Sequence[MemoryChange]) -> None:
            saved.update({one.saved.id: one.saved for one in changes if one.saved is not None})

        spec = with_embedder(harness, WITH_MEMORY, memory_scope="ws1/wf1")
        first = await harness.run_spec(spec, control=RunControl(store_memories=store))
        known = replace(spec, memories=list(saved.values()))
        second = await harness.run_spec(known)
        unrelated = await harness.run_spec(with_embedder(harness, WITH_MEMORY, memory_scope="ws2/wf1"))

        assert FACT in {one.content for one in saved.values()}
        assert not second.all("warning.raised")
        prompts = [
            next(event.data.prompt for event in recorder.all("llm.started") if event.data.model == "main")
            for recorder in (second, unrelated)
        ]
        assert isinstance(first.outcome, Completed)
        assert [FACT in prompt for prompt in prompts] == [True, False]
        assert {event.task_key for event in second.all("llm.started")} == {"draft", "again"}

    async def test_memory_of_another_embedder_is_embedded_first(self, harness: EngineHarness) -> None:
        known = StoredMemory("m1", FACT, "/crew", [], {}, 0.5, AT, AT)
        changes: list[MemoryChange] = []
        spec = replace(with_embedder(harness, WITH_MEMORY, memory_scope="ws1/wf1"), memories=[known])

        await harness.run_spec(spec, control=RunControl(store_memories=changes.extend))

        assert changes[0].saved is not None
        assert (changes[0].saved.content, bool(changes[0].saved.vector)) == (FACT, True)

    @pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
    async def test_older_memories_are_taken_over(self, harness: EngineHarness) -> None:
        from crewai.memory.storage.lancedb_storage import LanceDBStorage
        from crewai.memory.types import MemoryRecord

        scope = hashlib.sha256(b"ws9/wf9").hexdigest()[:32]
        folder = Path(harness.executor._data_dir) / "memories" / scope  # type: ignore[attr-defined]
        LanceDBStorage(path=str(folder), compact_every=0).save(
            [MemoryRecord(content=FACT, scope="/crew", embedding=[1.0, 0.0])]
        )
        changes: list[MemoryChange] = []

        await harness.run_spec(
            with_embedder(harness, WITH_MEMORY, memory_scope="ws9/wf9"),
            control=RunControl(store_memories=changes.extend),
        )

        assert FACT in {one.saved.content for one in changes if one.saved is not None}
        assert not folder.exists()

    async def test_failed_save_is_a_warning(self, harness: EngineHarness) -> None:
        unreachable = harness.model("embedder", kind=ModelKind.EMBEDDER, base_url="http://127.0.0.1:9/v1")

        recorder = await harness.run_spec(
            harness.spec(WITH_MEMORY, models=[harness.model(), unreachable], memory_scope="ws1/wf2")
        )

        assert isinstance(recorder.outcome, Completed)
        assert "memory-save-failed" in {event.data.code for event in recorder.all("warning.raised")}

    async def test_memory_without_a_scope_is_not_stored(self, harness: EngineHarness) -> None:
        harness.provider.on(lambda request: EXTRACTED_MEMORIES if is_extraction(request) else Say("fine"))
        changes: list[MemoryChange] = []

        recorder = await harness.run_spec(
            with_embedder(harness, WITH_MEMORY), control=RunControl(store_memories=changes.extend)
        )

        assert isinstance(recorder.outcome, Completed)
        assert changes == []

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
