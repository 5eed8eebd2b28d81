"""Calls that wait for their runs: progress, handles, cancelling, lost connections and lost rights."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.domain.run import RunResult
from crewai_runner.executor.port import Completed, Failed, NeedsHuman
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.mcp_endpoint import run_follower
from crewai_runner.features.mcp_endpoint.run_services import McpEndpointDeps
from crewai_runner.features.mcp_endpoint.waiting_calls import WaitingCalls
from tests.features.mcp_endpoint.mcp_calls import OpenCall, call, notify, open_call, read_events
from tests.support.builders import FAILURE, completed, started
from tests.support.harness import ON_SQLITE, RunHarness

pytestmark = pytest.mark.usefixtures("workflow_id")
PARAMS = {"name": "tea-report", "arguments": {"topic": "tea"}}
WITH_PROGRESS = PARAMS | {"_meta": {"progressToken": "p-1"}}
STEPS = [
    started("draft"),
    completed("draft", "A draft.", "writer"),
    started("report"),
    completed("report", "A report.", "writer"),
]
DONE = Script(STEPS, Completed(RunResult(raw="A report.", json_output={"n": 1})))


async def wait_for_run(client: httpx.AsyncClient, opened: OpenCall | None = None) -> str:
    """Wait until the call has started its run and waits for it; return the run's id."""
    for _ in range(400):
        runs = (await client.get("/runs")).json()["runs"]
        if runs:
            await asyncio.sleep(0.1)
            return str(runs[0]["id"])
        assert opened is None or not opened.task.done(), opened
        await asyncio.sleep(0.02)
    raise AssertionError("no run was started")


@asynccontextmanager
async def waiting_call(
    app: FastAPI, client: httpx.AsyncClient, params: dict[str, Any] = PARAMS, **more: Any
) -> AsyncIterator[tuple[OpenCall, str]]:
    async with open_call(app, params, **more) as opened:
        yield opened, await wait_for_run(client, opened)


class TestResult:
    @pytest.mark.parametrize("is_stateless", [False, True])
    async def test_json_without_progress(
        self, app: FastAPI, client: httpx.AsyncClient, harness: RunHarness, is_stateless: bool
    ) -> None:
        harness.executor = ScriptedExecutor(DONE)
        async with waiting_call(app, client, is_stateless=is_stateless) as (opened, run_id):
            assert opened.sent == []
            await harness.execute(run_id, 1)
            await opened.end()

        [message] = [httpx.Response(200, content=opened.text).json()]
        result = message["result"]
        assert result["content"] == [{"type": "text", "text": "A report."}]
        found = result["structuredContent"]
        assert (found["run_id"], found["state"], found["output"]) == (run_id, "completed", "A report.")
        assert (found["json_output"], result["isError"]) == ({"n": 1}, False)
        assert ("resultType" in result) is is_stateless

    @pytest.mark.parametrize("is_stateless", [False, True])
    async def test_progress_of_each_task(
        self, app: FastAPI, client: httpx.AsyncClient, harness: RunHarness, is_stateless: bool
    ) -> None:
        harness.executor = ScriptedExecutor(DONE)
        async with waiting_call(app, client, WITH_PROGRESS, is_stateless=is_stateless) as (opened, run_id):
            await harness.execute(run_id, 1)
            await opened.end()

        *progress, last = read_events(opened.text)
        assert [each["method"] for each in progress] == ["notifications/progress"] * 2
        assert [(e["params"]["progress"], e["params"]["total"]) for e in progress] == [(1, 2), (2, 2)]
        assert {each["params"]["progressToken"] for each in progress} == {"p-1"}
        assert (last["id"], last["result"]["structuredContent"]["output"]) == (1, "A report.")

    async def test_failure_is_an_error(
        self, app: FastAPI, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        harness.executor = ScriptedExecutor(Script([], Failed(FAILURE)))
        async with waiting_call(app, client, WITH_PROGRESS) as (opened, run_id):
            await harness.execute(run_id, 1)
            await opened.end()

        [last] = read_events(opened.text)
        assert last["result"]["isError"] is True
        assert "refused" in last["result"]["content"][0]["text"]

    @pytest.mark.parametrize("params", [PARAMS, WITH_PROGRESS])
    async def test_run_that_waits_for_a_person(
        self, app: FastAPI, client: httpx.AsyncClient, harness: RunHarness, params: dict[str, Any]
    ) -> None:
        harness.executor = ScriptedExecutor(
            Script(STEPS[:3], NeedsHuman("report", "writer", "A proposal.", None))
        )
        async with waiting_call(app, client, params) as (opened, run_id):
            await harness.execute(run_id, 1)
            await opened.end()

        assert "answer_approval" in opened.text
        assert "A proposal." in opened.text

    @ON_SQLITE
    async def test_long_run_gives_a_handle(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        harness: RunHarness,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        deps = replace(harness.container.provide(McpEndpointDeps), answer_seconds=0.3)
        monkeypatch.setitem(harness.container._factories, McpEndpointDeps, lambda: deps)
        async with waiting_call(app, client) as (opened, run_id):
            await opened.end()

        assert run_id in opened.text
        assert "get_run" in opened.text


class TestCancelling:
    @pytest.mark.parametrize("params", [PARAMS, WITH_PROGRESS])
    async def test_notification_stops_the_run(
        self, app: FastAPI, client: httpx.AsyncClient, harness: RunHarness, params: dict[str, Any]
    ) -> None:
        async with waiting_call(app, client, params, request_id=7, session="s-1") as (opened, run_id):
            await notify(client, "notifications/cancelled", {"requestId": 7}, **{"MCP-Session-Id": "s-1"})
            await opened.end()

        assert (await harness.get_run(run_id)).state == "stopped"
        assert read_events(opened.text) == []
        async with read_session(harness.container.sessions) as session:
            rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
        mine = [(row.operation, row.target_id) for row in rows if row.operation.startswith("mcp:")]
        assert mine == [("mcp:start_run", run_id), ("mcp:stop_run", run_id)]

    @pytest.mark.parametrize(
        ("params", "headers"),
        [
            ({"requestId": 7}, {"Authorization": "Bearer stranger", "MCP-Session-Id": "s-1"}),
            ({"requestId": 7}, {"Authorization": "Bearer run-reader", "MCP-Session-Id": "s-1"}),
            ({"requestId": 7}, {"MCP-Session-Id": "s-2"}),
            ({"requestId": "7"}, {"MCP-Session-Id": "s-1"}),
            ({"requestId": 8}, {"MCP-Session-Id": "s-1"}),
            ({}, {"MCP-Session-Id": "s-1"}),
        ],
    )
    async def test_others_cannot_cancel(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        harness: RunHarness,
        params: dict[str, Any],
        headers: dict[str, str],
    ) -> None:
        async with waiting_call(app, client, request_id=7, session="s-1") as (opened, run_id):
            response = await notify(client, "notifications/cancelled", params, **headers)
            await asyncio.sleep(0.5)
            assert (response.status_code, opened.task.done()) == (202, False)

        assert (await harness.get_run(run_id)).state == "queued"

    async def test_missed_notification_cancels_nothing(
        self, app: FastAPI, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        """After a reconnect to the database every subscriber is woken."""
        async with waiting_call(app, client) as (opened, run_id):
            notifier = harness.container.notifier
            getattr(notifier, "_local", notifier).notify_all()
            await asyncio.sleep(0.5)
            assert not opened.task.done()

        assert (await harness.get_run(run_id)).state == "queued"

    @pytest.mark.parametrize(("is_stateless", "state"), [(True, "stopped"), (False, "queued")])
    @pytest.mark.parametrize("params", [PARAMS, WITH_PROGRESS])
    async def test_closed_request(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        harness: RunHarness,
        params: dict[str, Any],
        is_stateless: bool,
        state: str,
    ) -> None:
        async with waiting_call(app, client, params, is_stateless=is_stateless) as (opened, run_id):
            await opened.leave()

        assert (await harness.get_run(run_id)).state == state


@ON_SQLITE
@pytest.mark.timeout(180)
class TestLimits:
    @pytest.mark.parametrize("params", [PARAMS, WITH_PROGRESS])
    async def test_lost_rights_end_the_call_but_not_the_run(
        self,
        app: FastAPI,
        client: httpx.AsyncClient,
        harness: RunHarness,
        params: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(run_follower, "RECHECK_SECONDS", 0.0)
        async with waiting_call(app, client, params, is_stateless=True) as (opened, run_id):
            authenticator: Any = harness.container.authenticator
            del authenticator._by_subject["owner"]
            async with harness.transaction(run_id) as (run, lifecycle):
                await lifecycle.begin(run, "scripted 1", native=True)
            await opened.end()

        assert read_events(opened.text) == []
        assert opened.status == (200 if "_meta" in params else 401)
        assert (await harness.get_run(run_id)).state == "running"

    async def test_many_calls_wait_for_no_more_than_the_limit(
        self, app: FastAPI, client: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        app.state.rate_limiter = None
        deps = replace(harness.container.provide(McpEndpointDeps), waiting_calls=WaitingCalls(limit=5))
        harness.container._factories[McpEndpointDeps] = lambda: deps
        first = await call(client, "tea-report", {"topic": "tea", "run.key": "k", "run.wait": False})
        run_id = first["structuredContent"]["run_id"]
        waiting = [asyncio.create_task(_call_with_token(app, number)) for number in range(5)]
        await asyncio.sleep(1)
        answers: list[str] = []
        for start in range(5, 105, 20):
            calls = (_call_with_token(app, token) for token in range(start, start + 20))
            answers += await asyncio.gather(*calls)

        assert [task.done() for task in waiting] == [False] * 5
        assert (len(answers), all(run_id in answer for answer in answers)) == (100, True)
        assert len((await client.get("/runs")).json()["runs"]) == 1
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


async def _call_with_token(app: FastAPI, token: int) -> str:
    arguments = {"topic": "tea", "run.key": "k"}
    params = {"name": "tea-report", "arguments": arguments, "_meta": {"progressToken": token}}
    async with open_call(app, params, request_id=token) as opened:
        await asyncio.shield(opened.task)
        return opened.text
