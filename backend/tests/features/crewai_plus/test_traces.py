"""A crew that runs elsewhere appears as a run from its spans, and its grant allows nothing else."""

import gzip
import json
from datetime import timedelta
from http import HTTPStatus
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from crewai_runner.core.clock import now
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import RunEventRow, RunRow
from crewai_runner.features.crewai_plus.grants import TraceGrants
from crewai_runner.features.executions.lost_runs import LostRuns
from crewai_runner.wiring.container import Container
from tests.features.crewai_plus.executions_elsewhere import (
    BASE,
    COLLECTOR,
    TASK,
    create_grant,
    dump,
    make_crew,
    make_span,
    only_run,
    send,
)
from tests.support.harness import RunHarness
from tests.support.metrics_page import MetricsPage
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER, auth_headers


class TestExternalRun:
    async def test_grant_creates_a_running_run(self, plus: httpx.AsyncClient) -> None:
        execution = str(uuid4())

        granted = await create_grant(plus, execution)
        renewed = await create_grant(plus, execution)

        run = await only_run(plus)
        assert (granted["tier"], granted["execution_uuid"]) == ("authenticated", execution)
        assert granted["collector_url"] == COLLECTOR
        assert granted["trace_url"] == renewed["trace_url"] == f"http://test/runs/{run['id']}"
        assert (run["status"], run["workflowId"]) == ("running", None)

    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    async def test_spans_become_the_events_of_a_run(
        self, plus: httpx.AsyncClient, harness: RunHarness, encoding: str
    ) -> None:
        granted = await create_grant(plus)
        body = dump(make_crew())
        body = gzip.compress(body) if encoding == "gzip" else body

        response = await send(plus, granted["token"], body, {"Content-Encoding": encoding})

        assert response.status_code == HTTPStatus.OK, response.text
        assert response.headers["content-type"] == "application/x-protobuf"
        run = await only_run(plus)
        assert (run["status"], run["workflowName"]) == ("completed", "My crew")
        assert (run["inputs"], run["result"]["raw"]) == ({"topic": "tea"}, "Facts.")
        assert (run["usage"]["totalTokens"], run["usage"]["llmCalls"], run["usage"]["toolCalls"]) == (
            43,
            1,
            1,
        )
        assert await harness.event_types(run["id"]) == [
            "run.started",
            "task.started",
            "agent.started",
            "llm.started",
            "llm.completed",
            "tool.started",
            "tool.completed",
            "agent.completed",
            "task.completed",
            "run.completed",
        ]
        [task] = (await plus.get(f"/runs/{run['id']}/tasks")).json()["tasks"]
        assert (task["key"], task["status"], task["result"]["raw"]) == (TASK, "completed", "Facts.")
        events = (await plus.get(f"/runs/{run['id']}/events")).json()["events"]
        calls = [event for event in events if event["type"] == "llm.completed"]
        assert [(event["taskKey"], event["data"]["text"]) for event in calls] == [(TASK, "Facts.")]
        assert "dropped-attribute" not in json.dumps(events)

    async def test_late_repeated_and_unordered_spans(
        self, plus: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        granted = await create_grant(plus)
        spans = make_crew()
        for batch in ([spans[0]], [spans[0], spans[2]], [spans[4]], spans, [spans[3]]):
            assert (await send(plus, granted["token"], dump(batch))).status_code == HTTPStatus.OK

        run = await only_run(plus)

        types = await harness.event_types(run["id"])
        for kind in ("llm.completed", "agent.completed", "task.completed", "tool.completed", "run.completed"):
            assert types.count(kind) == 1, kind
        assert run["usage"]["llmCalls"] == 1

    async def test_failure(self, plus: httpx.AsyncClient) -> None:
        granted = await create_grant(plus)

        await send(plus, granted["token"], dump(make_crew(error="The model was offline.")))

        run = await only_run(plus)
        assert (run["status"], run["error"]["message"]) == ("failed", "The model was offline.")

    async def test_workers_leave_it_alone(self, plus: httpx.AsyncClient, harness: RunHarness) -> None:
        await create_grant(plus)

        settled = await LostRuns(harness.deps).settle_all()

        assert settled == 0
        assert (await only_run(plus))["status"] == "running"
        assert await harness.count_queued() == 0

    async def test_counts_in_no_metric_of_runs_here(
        self, plus: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        granted = await create_grant(plus)
        await send(plus, granted["token"], dump(make_crew()))

        page = MetricsPage((await harness.container.telemetry.text()).decode())

        assert page("events_stored_total") == 10
        assert page("runs_started_total") == page("runs_ended_total", state="completed") == 0
        assert page("event_lag_seconds_count") == 0
        assert page.labels("model_calls_total") == page.labels("tool_calls_total") == []

    async def test_cannot_be_controlled(self, plus: httpx.AsyncClient) -> None:
        await create_grant(plus)
        run_id = (await only_run(plus))["id"]

        responses = [
            await plus.post(f"/runs/{run_id}/stop"),
            await plus.post("/workflows/stop", json={"workflowId": run_id}),
            await plus.post(f"/runs/{run_id}/retry"),
            await plus.post(f"/runs/{run_id}/resume"),
            await plus.post(f"/runs/{run_id}/fork", json={"fromTask": TASK}),
            await plus.post(f"/runs/{run_id}/messages", json={"text": "Hello"}),
            await plus.post("/chat", json={"workflowId": run_id, "message": "Hello"}),
        ]

        assert {response.status_code for response in responses} == {HTTPStatus.CONFLICT}
        assert {response.json()["type"].rpartition("/")[2] for response in responses} == {"run-elsewhere"}


class TestGrant:
    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            (ANONYMOUS, HTTPStatus.UNAUTHORIZED),
            (auth_headers("wrong"), HTTPStatus.UNAUTHORIZED),
            (AS_DOCUMENT_READER, HTTPStatus.FORBIDDEN),
        ],
    )
    async def test_needs_a_key_with_the_right(
        self, plus: httpx.AsyncClient, headers: dict[str, str], expected: HTTPStatus
    ) -> None:
        body = {"execution_uuid": str(uuid4())}

        responses = [
            await plus.post(f"{BASE}/tracing/grants", json=body, headers=headers),
            await plus.post(
                COLLECTOR, content=b"", headers=headers | {"Content-Type": "application/x-protobuf"}
            ),
        ]

        assert {response.status_code for response in responses} == {expected}
        assert (await plus.get("/runs")).json()["runs"] == []

    async def test_same_execution_in_another_workspace_is_another_run(
        self, plus: httpx.AsyncClient, harness: RunHarness
    ) -> None:
        execution = str(uuid4())
        own = await create_grant(plus, execution)
        await create_grant(plus, execution, headers=AS_STRANGER)

        await send(plus, own["token"], dump(make_crew()))

        async with read_session(harness.container.sessions) as session:
            query = select(RunRow.workspace_id, RunRow.state).order_by(RunRow.id)
            assert [state for _, state in (await session.execute(query)).all()] == ["completed", "running"]

    async def test_token_opens_nothing_else(self, plus: httpx.AsyncClient) -> None:
        headers = auth_headers((await create_grant(plus))["token"])

        responses = [
            await plus.get("/runs", headers=headers),
            await plus.get("/providers", headers=headers),
            await plus.post(f"{BASE}/tracing/grants", json={"execution_uuid": str(uuid4())}, headers=headers),
            await plus.get(f"{BASE}/me/organizations", headers=headers),
            await plus.post("http://test/amp/any/kickoff", json={}, headers=headers),
        ]

        assert {response.status_code for response in responses} == {HTTPStatus.FORBIDDEN}

    async def test_spans_of_another_execution_are_refused(self, plus: httpx.AsyncClient) -> None:
        granted = await create_grant(plus)
        span = make_span("call llm", "chat", crewai__execution_uuid=str(uuid4()))

        response = await send(plus, granted["token"], dump([span]))

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert (await only_run(plus))["usage"]["llmCalls"] == 0

    async def test_expired_forged_and_foreign_tokens(
        self, plus: httpx.AsyncClient, container: Container
    ) -> None:
        granted = await create_grant(plus)
        run = await only_run(plus)
        grants = TraceGrants(container.cipher)
        expired = grants.issue(run["id"], "ws_default", now() - timedelta(seconds=1))
        foreign = grants.issue(run["id"], "ws_strangers", now() + timedelta(hours=1))
        other_purpose = "crt_" + container.cipher.encrypt('{"purpose": "other"}')

        statuses = {
            token: (await send(plus, token, dump(make_crew()))).status_code
            for token in (expired, granted["token"][:-2] + "xx", "crt_", other_purpose, foreign)
        }

        assert list(statuses.values()) == [HTTPStatus.UNAUTHORIZED] * 4 + [HTTPStatus.NOT_FOUND]
        assert (await only_run(plus))["status"] == "running"

    async def test_api_key_cannot_send_spans(self, plus: httpx.AsyncClient) -> None:
        response = await send(plus, "owner", dump(make_crew()))

        assert response.status_code == HTTPStatus.FORBIDDEN


class TestHostileSpans:
    async def test_too_many_spans(self, plus: httpx.AsyncClient) -> None:
        granted = await create_grant(plus)
        spans = [make_span("call llm", "chat") for _ in range(10_000)]

        response = await send(plus, granted["token"], dump(spans))

        assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert (await only_run(plus))["lastSeq"] == 1

    async def test_decompression_bomb(self, plus: httpx.AsyncClient) -> None:
        granted = await create_grant(plus)
        bomb = gzip.compress(b"\0" * 200_000_000)

        response = await send(plus, granted["token"], bomb, {"Content-Encoding": "gzip"})

        assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    @pytest.mark.parametrize(
        ("body", "headers", "expected"),
        [
            (b"\xff" * 100, {}, HTTPStatus.UNPROCESSABLE_ENTITY),
            (b"no gzip", {"Content-Encoding": "gzip"}, HTTPStatus.UNPROCESSABLE_ENTITY),
            (b"x" * 3_100_000, {}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
            (b"", {"Content-Encoding": "br"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
            (b"{}", {"Content-Type": "application/json"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        ],
    )
    async def test_unreadable_bodies(
        self, plus: httpx.AsyncClient, body: bytes, headers: dict[str, str], expected: HTTPStatus
    ) -> None:
        granted = await create_grant(plus)

        assert (await send(plus, granted["token"], body, headers)).status_code == expected

    async def test_forged_usage_is_unknown(self, plus: httpx.AsyncClient) -> None:
        granted = await create_grant(plus)
        spans = [
            make_span("call llm", "chat", gen_ai__usage__input_tokens=tokens, gen_ai__usage__output_tokens=1)
            for tokens in (-5, 2**60)
        ]
        old = make_span(
            "call llm", "chat", gen_ai__usage__prompt_tokens=7, gen_ai__usage__completion_tokens=3
        )

        await send(plus, granted["token"], dump([*spans, old]))

        usage = (await only_run(plus))["usage"]
        assert (usage["totalTokens"], usage["llmCalls"], usage["callsWithoutUsage"]) == (10, 3, 2)

    async def test_secrets_are_masked(
        self, plus: httpx.AsyncClient, container: Container, harness: RunHarness
    ) -> None:
        secret = "sk-canary-0123456789abcdef"
        container.mask.add(secret)
        granted = await create_grant(plus)
        spans = make_crew()
        for span in spans:
            for pair in span.attributes:
                if pair.key in ("gen_ai.tool.call.result", "crewai.crew.output", "crewai.crew.inputs"):
                    pair.value.string_value = json.dumps({"key": secret})

        await send(plus, granted["token"], dump(spans))

        run = await only_run(plus)
        assert secret not in json.dumps(run)
        async with read_session(harness.container.sessions) as session:
            frames = (await session.scalars(select(RunEventRow.frame))).all()
            assert await session.scalar(select(func.count()).select_from(RunEventRow)) > 5
        assert not any(secret in frame for frame in frames)

    async def test_strange_values(self, plus: httpx.AsyncClient) -> None:
        granted = await create_grant(plus)
        strange = [
            make_span("x" * 5000, "chat", start=-(10**7), gen_ai__output__messages="[" * 100_000),
            make_span(
                "task", "execute_task", crewai__task__id="\x00/../" * 1000, crewai__task__output="\x00"
            ),
            make_span("tool", "execute_tool", gen_ai__tool__name="t" * 100_000, error="\x00" * 10),
            make_span("agent", "invoke_agent", crewai__agent__role="r" * 100_000),
            make_span("other", "no_such_operation", parent=b"p" * 8),
        ]
        for span in strange:
            span.parent_span_id = b"p" * 8

        response = await send(plus, granted["token"], dump(strange))

        assert response.status_code == HTTPStatus.OK, response.text

    @pytest.mark.harness(run_max_events=100)
    async def test_events_of_a_run_are_limited(self, plus: httpx.AsyncClient) -> None:
        granted = await create_grant(plus)
        spans = [make_span("call llm", "chat", parent=b"p" * 8) for _ in range(50)]

        response = await send(plus, granted["token"], dump(spans))

        assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TestCommandLine:
    async def test_lists(self, plus: httpx.AsyncClient) -> None:
        organizations = (await plus.get(f"{BASE}/me/organizations")).json()
        apps = (await plus.get(f"{BASE}/integrations/apps")).json()

        assert [set(one) for one in organizations] == [{"name", "uuid"}]
        assert apps == {"apps": []}

    @pytest.mark.parametrize("path", ["me/organizations", "integrations/apps"])
    async def test_need_a_key(self, plus: httpx.AsyncClient, path: str) -> None:
        assert (await plus.get(f"{BASE}/{path}", headers=ANONYMOUS)).status_code == HTTPStatus.UNAUTHORIZED
