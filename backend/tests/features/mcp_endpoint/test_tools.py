"""What each caller may see and call, and that calls do what the API does: rights, audit rows, isolation."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.domain.run import RunResult
from crewai_runner.executor.port import Completed, Failed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.mcp_endpoint import service
from tests.features.mcp_endpoint.mcp_calls import DOCUMENT, SLUG, call, send
from tests.support.builders import FAILURE, completed, started
from tests.support.harness import RunHarness, request_approval

RUN_TOOLS = ["list_runs", "get_run", "stop_run", "answer_approval"]
START = {"topic": "tea", "run.wait": False}


async def list_names(client: httpx.AsyncClient, **more: Any) -> list[str]:
    return [tool["name"] for tool in (await send(client, "tools/list", **more)).json()["result"]["tools"]]


async def read_rows(harness: RunHarness) -> Sequence[AuditRow]:
    async with read_session(harness.container.sessions) as session:
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
        return [row for row in rows if row.operation.startswith("mcp:")]


@pytest.mark.usefixtures("workflow_id")
class TestList:
    async def test_workflow_is_a_tool_with_its_inputs(self, client: httpx.AsyncClient) -> None:
        tool = (await send(client, "tools/list")).json()["result"]["tools"][0]

        assert (tool["name"], tool["title"]) == (SLUG, "Tea report")
        assert tool["description"].startswith("Reports about a topic.")
        schema = tool["inputSchema"]
        assert (schema["required"], schema["additionalProperties"]) == (["topic"], False)
        assert schema["properties"]["topic"] == {"type": "string", "description": "What to write about"}
        assert schema["properties"]["depth"] == {"type": "integer", "default": 1, "enum": [1, 2]}
        assert set(schema["properties"]) == {"topic", "depth", "run.wait", "run.key"}

    async def test_depends_on_the_rights_of_the_caller(self, client: httpx.AsyncClient) -> None:
        assert await list_names(client) == [SLUG, *RUN_TOOLS]
        assert await list_names(client, caller="run-reader") == RUN_TOOLS[:2]
        assert await list_names(client, caller="stranger") == RUN_TOOLS
        assert (await send(client, "tools/list", caller="document-reader")).status_code == 403

    async def test_comes_in_pages(self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service, "TOOLS_AT_ONCE", 2)
        for name in ("A", "Z", "Y"):
            document = DOCUMENT.replace("Tea report", name)
            await client.post("/workflows", json={"workflow": {"yaml": document}})

        first = (await send(client, "tools/list")).json()["result"]
        second = (await send(client, "tools/list", {"cursor": first["nextCursor"]})).json()["result"]

        names = [[tool["name"] for tool in page["tools"]] for page in (first, second)]
        assert names == [["a", SLUG, *RUN_TOOLS], ["y", "z"]]
        assert "nextCursor" not in second


@pytest.mark.usefixtures("workflow_id")
class TestRuns:
    async def test_start_get_list_stop(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        begun = (await call(client, SLUG, START))["structuredContent"]
        run_id = begun["run_id"]
        listed = (await call(client, "list_runs", {"workflow": SLUG}))["structuredContent"]
        stopped = await call(client, "stop_run", {"run_id": run_id})
        again = await call(client, "stop_run", {"run_id": run_id})
        found = await call(client, "get_run", {"run_id": run_id})

        assert (begun["state"], begun["tasks_total"]) == ("queued", 2)
        assert "get_run" in begun["next_step"]
        assert [run["run_id"] for run in listed["runs"]] == [run_id]
        assert stopped["structuredContent"] == {"run_id": run_id, "state": "stopped"}
        assert (again["isError"], "already" in again["content"][0]["text"]) == (True, True)
        assert (found["isError"], found["structuredContent"]["state"]) == (False, "stopped")
        rows = await read_rows(harness)
        assert [(row.operation, row.target_id, row.result) for row in rows] == [
            ("mcp:start_run", run_id, "succeeded"),
            ("mcp:stop_run", run_id, "succeeded"),
        ]

    async def test_key_starts_one_run(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        runs = [await call(client, SLUG, START | {"run.key": "once"}) for _ in range(3)]

        assert len({run["structuredContent"]["run_id"] for run in runs}) == 1
        assert len(await read_rows(harness)) == 1

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ({"run.wait": False}, "topic"),
            (START | {"depth": "deep"}, "depth"),
            (START | {"other": 1}, "other"),
            (START | {"run.other": 1}, "run.other"),
            (START | {"run.wait": "sure"}, "run.wait"),
            (START | {"run.key": "a b"}, "run.key"),
        ],
    )
    async def test_model_learns_what_is_wrong_with_its_arguments(
        self, client: httpx.AsyncClient, harness: RunHarness, arguments: dict[str, Any], text: str
    ) -> None:
        result = await call(client, SLUG, arguments)

        assert (result["isError"], text in result["content"][0]["text"]) == (True, True)
        assert await read_rows(harness) == []
        assert (await call(client, "list_runs"))["structuredContent"]["runs"] == []

    @pytest.mark.parametrize(
        ("tool", "arguments"),
        [
            ("get_run", {"run_id": "wf_1"}),
            ("get_run", {}),
            ("list_runs", {"limit": 1000}),
            ("get_run", {"x": 1}),
        ],
    )
    async def test_wrong_arguments(
        self, client: httpx.AsyncClient, tool: str, arguments: dict[str, Any]
    ) -> None:
        assert (await call(client, tool, arguments))["isError"] is True

    async def test_failed_run_is_an_error(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        harness.executor = ScriptedExecutor(Script([], Failed(FAILURE)))
        run_id = (await call(client, SLUG, START | {"run.key": "k"}))["structuredContent"]["run_id"]
        await harness.execute(run_id, 1)

        again = await call(client, SLUG, {"topic": "tea", "run.key": "k"})
        found = await call(client, "get_run", {"run_id": run_id})

        assert (again["isError"], found["isError"]) == (True, False)
        assert "refused" in again["content"][0]["text"]
        assert "refused" in found["content"][0]["text"]

    async def test_long_output_is_shortened(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        result = RunResult(raw="x" * 200_000, json_output={"text": "x" * 200_000})
        harness.executor = ScriptedExecutor(
            Script([started("draft"), completed("draft", "A draft.", "writer")], Completed(result))
        )
        run_id = (await call(client, SLUG, START))["structuredContent"]["run_id"]
        await harness.execute(run_id, 1)

        response = await send(client, "tools/call", {"name": "get_run", "arguments": {"run_id": run_id}})

        found = response.json()["result"]["structuredContent"]
        assert (found["is_shortened"], found["json_output"], len(found["output"])) == (True, None, 50_001)
        assert len(response.content) < 1_000_000


class TestApprovals:
    async def test_is_answered(self, client: httpx.AsyncClient, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)
        waiting = await call(client, "get_run", {"run_id": run_id})

        answered = await call(
            client,
            "answer_approval",
            {"approval_id": approval_id, "action": "revise", "feedback": "Shorter."},
        )
        again = await call(client, "answer_approval", {"approval_id": approval_id, "action": "reject"})

        found = waiting["structuredContent"]
        assert (found["state"], found["wait_reason"]) == ("waiting", "human-input")
        assert found["approval"]["approval_id"] == approval_id
        assert found["approval"]["actions"] == ["approve", "revise", "reject"]
        assert approval_id in waiting["content"][0]["text"]
        assert "answer_approval" in waiting["content"][0]["text"]
        assert answered["structuredContent"]["state"] == "revised"
        assert again["isError"] is True
        [row] = await read_rows(harness)
        assert (row.operation, row.target_id) == ("mcp:answer_approval", approval_id)
        assert (await harness.get_run(run_id)).state == "queued"


@pytest.mark.usefixtures("workflow_id")
class TestRights:
    @pytest.mark.parametrize(
        ("tool", "arguments"),
        [
            (SLUG, START),
            ("stop_run", {"run_id": "run_1"}),
            ("answer_approval", {"approval_id": "appr_1", "action": "approve"}),
        ],
    )
    async def test_viewer(
        self, client: httpx.AsyncClient, harness: RunHarness, tool: str, arguments: dict[str, Any]
    ) -> None:
        result = await call(client, tool, arguments, caller="run-reader")
        await harness.container.audit.refusals.store_due(is_last=True)

        assert (result["isError"], "scope" in result["content"][0]["text"]) == (True, True)
        assert (await call(client, "list_runs"))["structuredContent"]["runs"] == []
        async with read_session(harness.container.sessions) as session:
            rows = (await session.scalars(select(AuditRow).where(AuditRow.result == "refused"))).all()
        assert [(row.reason, row.actor_id) for row in rows] == [("scope-missing", "run-reader")]

    async def test_other_workspace_finds_nothing(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        run_id, approval_id = await request_approval(harness)
        for name in (SLUG, workflow_id):
            params = {"name": name, "arguments": START}
            answer = (await send(client, "tools/call", params, caller="stranger")).json()
            assert answer["error"]["message"] == f"Unknown tool: {name}"
        for tool, arguments in (
            ("get_run", {"run_id": run_id}),
            ("stop_run", {"run_id": run_id}),
            ("answer_approval", {"approval_id": approval_id, "action": "approve"}),
            ("list_runs", {"workflow": SLUG}),
        ):
            result = await call(client, tool, arguments, caller="stranger")
            assert result["isError"] is True, tool
            assert "A proposal" not in str(result)
        assert (await call(client, "list_runs", caller="stranger"))["structuredContent"]["runs"] == []
        assert (await harness.get_run(run_id)).state == "waiting"
        assert await read_rows(harness) == []
