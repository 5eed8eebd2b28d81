"""What a run knows from its workflow's files and earlier runs, and what it leaves for the next one."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.builtin_embedder import embedding_model
from crewai_runner.executor.memory_records import MemoryChange, StoredMemory
from crewai_runner.executor.port import RunSpec
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.knowledge.jobs import KnowledgeEmbeddings
from crewai_runner.features.knowledge.service import BUILTIN_EMBEDDER, KnowledgeDeps
from tests.support.harness import RunHarness

DOCUMENT = """\
name: Support
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  draft: {description: Draft, expected_output: A draft, agent: writer}
"""
AT = datetime(2026, 11, 1, tzinfo=UTC)
SAVED = StoredMemory("m1", "Tea is green.", "/crew", ["fact"], {}, 0.5, AT, AT, vector=[1.0, 2.0])


class RememberingExecutor(ScriptedExecutor):
    """Saves a memory in each attempt."""

    async def execute(self, spec: RunSpec, sink: Any, control: Any) -> Any:
        control.store_memories([MemoryChange(saved=SAVED)])
        return await super().execute(spec, sink, control)


async def create_workflow(client: httpx.AsyncClient, document: str) -> str:
    answer = await client.post("/workflows", json={"workflow": {"yaml": document}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["workflow"]["id"])


async def run(client: httpx.AsyncClient, harness: RunHarness, workflow_id: str) -> tuple[RunSpec, Any]:
    answer = await client.post("/runs", json={"workflowId": workflow_id})
    assert answer.status_code == 202, answer.text
    await harness.execute(answer.json()["runId"], 1)
    return harness.executor.specs[-1], answer.json()


async def add_file(client: httpx.AsyncClient, harness: RunHarness, workflow_id: str) -> None:
    files = [("files", ("returns.md", b"Returns within 30 days", "text/markdown"))]
    answer = await client.post(f"/workflows/{workflow_id}/knowledge", files=files)
    [file] = answer.json()["files"]
    await KnowledgeEmbeddings(harness.container.provide(KnowledgeDeps))(file["id"], 1)


class TestKnowledgeFiles:
    async def test_run_gets_the_chunks_of_its_workflow(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        workflow_id = await create_workflow(client, DOCUMENT)
        await add_file(client, harness, workflow_id)

        spec, _ = await run(client, harness, workflow_id)

        [chunk] = spec.knowledge
        assert (chunk.file, chunk.text) == ("returns.md", "Returns within 30 days")
        assert chunk.vector is not None
        assert len(chunk.vector) == 26 * 4
        assert spec.embedder == BUILTIN_EMBEDDER

    async def test_run_of_another_workflow_gets_none(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        await add_file(client, harness, await create_workflow(client, DOCUMENT))
        other = await create_workflow(client, DOCUMENT.replace("Support", "Other"))

        spec, _ = await run(client, harness, other)

        assert (spec.knowledge, spec.embedder) == ([], None)

    async def test_new_embedder_embeds_again(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        workflow_id = await create_workflow(client, DOCUMENT)
        await add_file(client, harness, workflow_id)
        await register_embedder(client)

        spec, _ = await run(client, harness, workflow_id)

        assert spec.embedder == "vectors"
        assert [chunk.vector for chunk in spec.knowledge] == [None]
        answer = await client.get(f"/workflows/{workflow_id}/knowledge")
        assert [file["state"] for file in answer.json()["files"]] == ["queued"]


class TestMemory:
    async def test_next_run_remembers(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        workflow_id = await create_workflow(client, DOCUMENT + "memory: true\n")
        harness.executor = RememberingExecutor()

        first, _ = await run(client, harness, workflow_id)
        second, _ = await run(client, harness, workflow_id)

        assert list(first.memories) == []
        assert list(second.memories) == [SAVED]

    async def test_works_with_the_built_in_embedder_and_says_so(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        workflow_id = await create_workflow(client, DOCUMENT + "memory: true\n")

        spec, started = await run(client, harness, workflow_id)

        assert spec.definition.memory
        assert spec.models[BUILTIN_EMBEDDER].provider_type is ProviderType.LOCAL
        assert any("built-in embedder" in warning for warning in started["warnings"])

    async def test_run_without_any_embedder_has_no_memory(
        self, client: httpx.AsyncClient, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(embedding_model, "is_available", lambda: False)
        workflow_id = await create_workflow(client, DOCUMENT + "memory: true\n")

        spec, started = await run(client, harness, workflow_id)

        assert not spec.definition.memory
        assert any("has no memory" in warning for warning in started["warnings"])

    async def test_memories_of_another_embedder_come_without_vectors(
        self, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        workflow_id = await create_workflow(client, DOCUMENT + "memory: true\n")
        harness.executor = RememberingExecutor()
        await run(client, harness, workflow_id)
        await register_embedder(client)

        spec, _ = await run(client, harness, workflow_id)

        assert [(one.content, one.vector) for one in spec.memories] == [("Tea is green.", None)]


async def register_embedder(client: httpx.AsyncClient) -> None:
    provider = {"name": "Vectors", "type": "openai_compatible", "baseUrl": "http://127.0.0.1:9/v1"}
    created = await client.post("/providers", json={"provider": provider})
    model = {
        "name": "vectors",
        "type": "embedder",
        "providerId": created.json()["provider"]["id"],
        "providerModel": "embed-1",
        "default": True,
    }
    answer = await client.post("/models", json={"model": model})
    assert answer.status_code == 201, answer.text
