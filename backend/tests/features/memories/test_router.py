"""What a workflow's crew remembers: stored from a running crew, shown and deleted over HTTP."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.executor.memory_records import MemoryChange, StoredMemory
from crewai_runner.features.memories.writes import MemoryWrites
from tests.support.harness import RunHarness
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER

DOCUMENT = """\
name: Support
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  draft: {description: Draft, expected_output: A draft, agent: writer}
memory: true
"""
START = datetime(2026, 11, 1, tzinfo=UTC)


def memory(number: int, content: str = "", **changes: object) -> StoredMemory:
    at = START + timedelta(minutes=number)
    given: dict[str, object] = {
        "id": f"memory-{number}",
        "content": content or f"Fact {number}",
        "scope": "/crew/facts",
        "categories": ["fact"],
        "extra": {},
        "importance": 0.5,
        "created_at": at,
        "accessed_at": at,
        "vector": [1.0, 0.0],
    }
    return StoredMemory(**given | changes)  # type: ignore[arg-type]


def slug_of(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


@pytest.fixture
async def workflow_id(client: httpx.AsyncClient) -> str:
    answer = await client.post("/workflows", json={"workflow": {"yaml": DOCUMENT}})
    return str(answer.json()["workflow"]["id"])


async def remember(harness: RunHarness, workflow_id: str, *memories: StoredMemory) -> None:
    changes = [MemoryChange(saved=one) for one in memories]

    def write(transaction: WriteTransaction) -> None:
        MemoryWrites(transaction.connection).apply(
            BUILTIN_WORKSPACE, workflow_id, "run_1", "local:all-minilm-l6-v2", changes
        )

    await harness.container.writer.run(write)


async def list_contents(client: httpx.AsyncClient, workflow_id: str, **query: str) -> list[str]:
    answer = await client.get(f"/workflows/{workflow_id}/memories", params=query)
    assert answer.status_code == 200, answer.text
    return [one["content"] for one in answer.json()["memories"]]


class TestList:
    async def test_newest_first_in_pages(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        await remember(harness, workflow_id, *(memory(number) for number in range(5)))

        first = (await client.get(f"/workflows/{workflow_id}/memories", params={"limit": 3})).json()
        rest = await list_contents(client, workflow_id, cursor=first["nextCursor"])

        assert [one["content"] for one in first["memories"]] + rest == [f"Fact {n}" for n in (4, 3, 2, 1, 0)]
        assert first["total"] == 5

    async def test_search_takes_its_text_literally(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        await remember(harness, workflow_id, memory(1, "Tea at 100%"), memory(2, "Coffee"))

        assert await list_contents(client, workflow_id, q="TEA") == ["Tea at 100%"]
        assert await list_contents(client, workflow_id, q="%") == ["Tea at 100%"]

    async def test_changed_memory_is_shown_once(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        await remember(harness, workflow_id, memory(1, "old"))
        await remember(harness, workflow_id, memory(1, "new"))

        assert await list_contents(client, workflow_id) == ["new"]

    async def test_unstorable_metadata_and_text_are_cleaned(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        hostile = memory(1, "a\x00b\ud800", extra={"\x00": float("nan"), "set": {1}}, scope="/x" * 1000)
        await remember(harness, workflow_id, hostile)

        assert await list_contents(client, workflow_id) == ["a\ufffdb\ufffd"]

    async def test_secret_is_masked(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        await remember(harness, workflow_id, memory(1, "The key is canary-of-a-key-0123456789"))
        harness.container.mask.add("canary-of-a-key-0123456789")

        [content] = await list_contents(client, workflow_id)

        assert "canary" not in content

    async def test_rights(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        path = f"/workflows/{workflow_id}/memories"
        statuses = [
            (await client.get(path, headers=headers)).status_code
            for headers in (ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER)
        ]

        assert statuses == [401, 403, 404]


class TestDelete:
    async def test_one_some_and_all(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        path = f"/workflows/{workflow_id}/memories"
        await remember(harness, workflow_id, *(memory(number) for number in range(6)))

        one = await client.delete(f"{path}/memory-0")
        some = await client.post(f"{path}/delete", json={"ids": ["memory-1", "memory-2", "unknown"]})
        left = await list_contents(client, workflow_id)
        everything = await client.delete(path)

        assert (one.status_code, some.json(), everything.json()) == (204, {"deleted": 2}, {"deleted": 3})
        assert left == ["Fact 5", "Fact 4", "Fact 3"]
        assert await list_contents(client, workflow_id) == []

    async def test_unknown_memory(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        answer = await client.delete(f"/workflows/{workflow_id}/memories/unknown")

        assert (answer.status_code, slug_of(answer)) == (404, "memory-not-found")

    async def test_another_workflow_keeps_its_memories(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        other = await client.post(
            "/workflows", json={"workflow": {"yaml": DOCUMENT.replace("Support", "Other")}}
        )
        other_id = other.json()["workflow"]["id"]
        await remember(harness, workflow_id, memory(1))

        await client.post(f"/workflows/{other_id}/memories/delete", json={"ids": ["memory-1"]})
        await client.delete(f"/workflows/{other_id}/memories")

        assert await list_contents(client, workflow_id) == ["Fact 1"]

    async def test_stranger_deletes_nothing(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        await remember(harness, workflow_id, memory(1))
        path = f"/workflows/{workflow_id}/memories"

        answers = [
            await client.delete(path, headers=AS_STRANGER),
            await client.delete(f"{path}/memory-1", headers=AS_STRANGER),
            await client.post(f"{path}/delete", json={"ids": ["memory-1"]}, headers=AS_STRANGER),
        ]

        assert [answer.status_code for answer in answers] == [404] * 3
        assert await list_contents(client, workflow_id) == ["Fact 1"]
