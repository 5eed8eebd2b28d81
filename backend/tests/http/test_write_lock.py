"""No request does slow work (host look-ups, parsing, files) while it holds SQLite's only write lock."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from crewai_runner.db.sqlite import READ_ONLY
from tests.support.builders import FAILURE
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.server_process import TWO_TASKS

pytestmark = [ON_SQLITE, pytest.mark.harness(seed_models=True, allow_private_hosts=True)]
PROVIDER = {
    "name": "some",
    "type": "openai_compatible",
    "baseUrl": "http://localhost:9/v1",
    "apiKey": "sk-some-key-0123456789",
    "models": ["some-model"],
}
KEY = {"Idempotency-Key": "some-key"}


class LockWatch:
    """Records calls of threads, which is how slow work runs, by tasks that are in a writing transaction."""

    def __init__(self, engine: Engine) -> None:
        self.calls: list[str] = []
        self.under_lock: list[str] = []
        self._holders: dict[Connection, asyncio.Task[Any] | None] = {}
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "commit", self._end)
        event.listen(engine, "rollback", self._end)

    def _begin(self, connection: Connection) -> None:
        if not connection.get_execution_options().get(READ_ONLY, False):
            self._holders[connection] = asyncio.current_task()

    def _end(self, connection: Connection) -> None:
        self._holders.pop(connection, None)

    def record_call(self, function: Any) -> None:
        name = getattr(getattr(function, "func", function), "__qualname__", repr(function))
        self.calls.append(name)
        if asyncio.current_task() in self._holders.values():
            self.under_lock.append(name)


@pytest.fixture
def watch(harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> LockWatch:
    watch = LockWatch(harness.container.engine.sync_engine)
    run_in_executor = asyncio.BaseEventLoop.run_in_executor

    def watched(loop: Any, executor: Any, function: Any, *arguments: Any) -> Any:
        watch.record_call(function)
        return run_in_executor(loop, executor, function, *arguments)

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", watched)
    return watch


async def post(client: httpx.AsyncClient, path: str, body: Any, **headers: str) -> Any:
    response = await client.post(path, json=body, headers=headers)
    assert response.is_success, response.text
    return response.json()


class TestWriteLock:
    @pytest.mark.parametrize("headers", [{}, KEY], ids=["without a key", "with a key"])
    @pytest.mark.parametrize("provider", [None, PROVIDER], ids=["registered", "own provider"])
    async def test_starting_a_run(
        self, client: httpx.AsyncClient, watch: LockWatch, headers: dict[str, str], provider: Any
    ) -> None:
        own = {} if provider is None else {"providerConfig": provider}

        await post(client, "/runs", {"workflow": TWO_TASKS} | own, **headers)

        assert len(watch.calls) >= 1 + (provider is not None)
        assert watch.under_lock == []

    @pytest.mark.parametrize("verb", ["retry", "fork"])
    async def test_running_again(
        self, harness: RunHarness, client: httpx.AsyncClient, watch: LockWatch, verb: str
    ) -> None:
        run_id = (await post(client, "/runs", {"workflow": TWO_TASKS}))["runId"]
        body: dict[str, Any] = {"providerConfig": PROVIDER}
        tasks = (await client.get(f"/runs/{run_id}/tasks")).json()["tasks"]
        if verb == "fork":
            body["fromTask"] = tasks[0]["key"]

        await post(client, f"/runs/{run_id}/{verb}", body, **KEY)

        assert watch.under_lock == []

    async def test_resuming(self, harness: RunHarness, client: httpx.AsyncClient, watch: LockWatch) -> None:
        run_id = await harness.create_running()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.fail(run, FAILURE)

        await post(client, f"/runs/{run_id}/resume", {"providerConfig": PROVIDER})

        assert len(watch.calls) > 0
        assert watch.under_lock == []

    async def test_catalog_and_workflows(self, client: httpx.AsyncClient, watch: LockWatch) -> None:
        provider = (await post(client, "/providers", {"provider": PROVIDER}, **KEY))["provider"]["id"]
        changed = await client.patch(
            f"/providers/{provider}",
            json={"provider": {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "sk-0123456789"}},
        )
        model = {"name": "some", "type": "llm", "providerId": provider, "endpoint": "http://localhost:9/v1"}
        await client.post("/models", json={"model": model}, headers=KEY)
        draft = {"workflow": {"yaml": TWO_TASKS}}
        workflow = (await post(client, "/workflows", draft, **KEY))["workflow"]["id"]
        saved = await client.put(
            f"/workflows/{workflow}", json={"workflow": {"yaml": TWO_TASKS + "# changed\n"}}
        )
        await post(client, f"/workflows/{workflow}/versions/1/restore", {}, **KEY)
        imported = {
            "agentsYaml": "writer: {role: W, goal: G, backstory: B}",
            "tasksYaml": "draft: {description: D, expected_output: E, agent: writer}",
            "name": "Imported",
        }
        await post(client, "/workflows/import", imported, **KEY)

        assert (changed.status_code, saved.status_code) == (200, 200)
        assert len(watch.calls) >= 5
        assert watch.under_lock == []

    async def test_repeated_start_does_not_prepare_again(
        self, client: httpx.AsyncClient, watch: LockWatch
    ) -> None:
        body = {"workflow": TWO_TASKS, "providerConfig": PROVIDER}
        first = await post(client, "/runs", body, **KEY)
        calls = len(watch.calls)

        second = await post(client, "/runs", body, **KEY)

        assert second == first
        assert len(watch.calls) == calls
