"""Triggers: deliveries start runs once, and what outsiders may try."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from crewai_runner.core.clock import now
from crewai_runner.core.webhook_signature import sign
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.triggers import TriggerDeliveryRow, TriggerRow
from crewai_runner.features.triggers import repository
from crewai_runner.features.triggers.deps import HOOK_RATE, MAX_BODY_BYTES
from crewai_runner.features.triggers.repository import TriggerDeliveryRepository
from tests.features.triggers.test_signatures import digest
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.principals import AS_DOCUMENT_READER, AS_STRANGER

DOCUMENT = """\
name: Issue report
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  draft: {description: "Draft {topic}", expected_output: A draft, agent: writer}
inputs:
  topic: {type: string}
  depth: {type: integer, default: 1}
"""
BODY = {"issue": {"title": "tea", "number": 3}}
POINTERS = {"topic": "/issue/title", "depth": "/issue/number"}


@pytest.fixture
async def workflow_id(client: httpx.AsyncClient) -> str:
    response = await client.post("/workflows", json={"workflow": {"yaml": DOCUMENT}})
    return str(response.json()["workflow"]["id"])


async def create(client: httpx.AsyncClient, workflow_id: str, **changes: Any) -> dict[str, Any]:
    body = {"name": "Issues", "workflowId": workflow_id, "signature": "standard-webhooks", "inputs": POINTERS}
    response = await client.post("/triggers", json=body | changes)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def send(
    client: httpx.AsyncClient,
    created: dict[str, Any],
    body: Any = BODY,
    *,
    message_id: str = "msg_1",
    age: int = 0,
    **headers: str,
) -> httpx.Response:
    """Send a signed delivery as a sender without credentials."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = int((now() - timedelta(seconds=age)).timestamp())
    sent = {"Content-Type": "application/json", "Authorization": ""}
    sent |= sign(created["secret"], message_id, at, content) | headers
    return await client.post(f"http://test{created['trigger']['path']}", content=content, headers=sent)


async def list_runs(harness: RunHarness) -> list[RunRow]:
    async with read_session(harness.container.sessions) as session:
        return list((await session.scalars(select(RunRow).order_by(RunRow.id))).all())


async def list_deliveries(client: httpx.AsyncClient, created: dict[str, Any]) -> list[dict[str, Any]]:
    response = await client.get(f"/triggers/{created['trigger']['id']}/deliveries")
    found: list[dict[str, Any]] = response.json()["deliveries"]
    return found


class TestReceive:
    async def test_starts_a_run_once(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        created = await create(client, workflow_id)

        answers = [await send(client, created) for _ in range(3)]

        assert [(one.status_code, one.content) for one in answers] == [(202, b"")] * 3
        [run] = await list_runs(harness)
        [delivery] = await list_deliveries(client, created)
        assert run.inputs == {"topic": "tea", "depth": 3}
        assert (run.created_by, run.workflow_id) == (created["trigger"]["id"], workflow_id)
        assert run.extra == {"trigger": "Issues", "delivery": delivery["id"]}
        assert delivery["runId"] == run.id

    @ON_SQLITE
    async def test_slack_check_is_answered_once_signed(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        secret = "slack-signing-secret-of-16"
        created = await create(client, workflow_id, signature="slack", secret=secret)
        body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
        at = str(int(now().timestamp()))
        signature = "v0=" + digest(f"v0:{at}:".encode() + body, secret)
        signed = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature}

        answer = await send(client, created, body, **signed)
        unsigned = await send(client, created, body)

        assert (answer.status_code, answer.text) == (200, "3eZbrw1a")
        assert unsigned.status_code == 401
        assert await list_runs(harness) == []

    @ON_SQLITE
    async def test_failed_delivery_may_be_sent_again(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        created = await create(client, workflow_id, inputs={"topic": "/issue/number"})

        refused = await send(client, created)
        [failed] = await list_deliveries(client, created)
        trigger_id = created["trigger"]["id"]
        await client.patch(f"/triggers/{trigger_id}", json={"inputs": {"topic": "/issue/title"}})
        accepted = await send(client, created)

        assert refused.status_code == 422
        assert "topic" not in refused.text
        assert "topic" in failed["error"]
        assert accepted.status_code == 202
        [delivery] = await list_deliveries(client, created)
        assert (delivery["error"], delivery["runId"]) == (None, (await list_runs(harness))[0].id)


@ON_SQLITE
class TestAttacks:
    async def test_wrong_signature_and_old_time(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        created = await create(client, workflow_id)
        forged = created | {"secret": "whsec_" + "A" * 32}

        answers = [
            await send(client, forged),
            await send(client, created, age=301),
            await send(client, created, **{"webhook-id": "msg_2"}),
        ]

        assert [one.status_code for one in answers] == [401] * 3
        assert await list_runs(harness) == []
        assert await list_deliveries(client, created) == []

    async def test_body_and_type(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        created = await create(client, workflow_id)

        huge = await send(client, created, b'"' + b"a" * MAX_BODY_BYTES + b'"')
        form = await send(client, created, **{"Content-Type": "application/x-www-form-urlencoded"})
        no_json = await send(client, created, b"{")
        deep = await send(client, created, b"[" * 5000 + b"]" * 5000)
        surrogate = await send(client, created, b'{"issue": {"title": "\\ud800"}}', message_id="msg_3")

        codes = [one.status_code for one in (huge, form, no_json, deep, surrogate)]
        assert codes[:3] == [413, 415, 400]
        assert codes[3] in (400, 422)
        assert codes[4] == 422

    async def test_unknown_and_disabled_answer_alike(
        self, client: httpx.AsyncClient, workflow_id: str
    ) -> None:
        created = await create(client, workflow_id, isEnabled=False)
        unknown = {"secret": created["secret"], "trigger": {"path": "/hooks/unknown"}}

        answers = [await send(client, one) for one in (created, unknown)]

        assert [one.status_code for one in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]

    async def test_rate(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        created = await create(client, workflow_id)
        forged = created | {"secret": "whsec_" + "A" * 32}

        codes = [(await send(client, forged)).status_code for _ in range(HOOK_RATE.burst + 1)]

        assert codes[-1] == 429
        assert (await send(client, created)).headers["Retry-After"]

    async def test_body_chooses_only_declared_inputs(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        created = await create(client, workflow_id)
        more = {"workflow": "x", "budget": {"maxCost": "9"}, "providerConfig": {}, "version": 9}

        await send(client, created, BODY | more)

        [run] = await list_runs(harness)
        assert (run.budget, run.inputs) == ({}, {"topic": "tea", "depth": 3})

    async def test_other_workspace_gets_404(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        trigger = (await create(client, workflow_id))["trigger"]["id"]

        paths = [f"/triggers/{trigger}", f"/triggers/{trigger}/deliveries"]
        answers = [await client.get(path, headers=AS_STRANGER) for path in paths]
        foreign = {"name": "x", "workflowId": workflow_id, "signature": "bearer"}
        created = await client.post("/triggers", json=foreign, headers=AS_STRANGER)

        assert [one.status_code for one in answers] == [404, 404]
        assert created.status_code == 422
        [seen] = (await client.get("/triggers", headers=AS_DOCUMENT_READER)).json()["triggers"]
        assert (seen["id"], seen["path"]) == (trigger, "")

    async def test_secrets_are_neither_shown_nor_stored(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        created = await create(client, workflow_id)
        secret = created["secret"]
        await send(client, created, BODY | {"echo": secret})

        trigger_id = created["trigger"]["id"]
        [delivery] = await list_deliveries(client, created)
        shown = await client.get(f"/triggers/{trigger_id}/deliveries/{delivery['id']}")

        assert secret not in shown.text + (await client.get("/triggers")).text
        async with read_session(harness.container.sessions) as session:
            [row] = (await session.scalars(select(TriggerRow))).all()
            [stored] = (await session.scalars(select(TriggerDeliveryRow))).all()
        assert secret not in row.sealed_secret + str(stored.body)


@ON_SQLITE
class TestManage:
    async def test_rotate(self, client: httpx.AsyncClient, workflow_id: str) -> None:
        created = await create(client, workflow_id)

        rotated = (await client.post(f"/triggers/{created['trigger']['id']}/rotate")).json()

        assert (await send(client, created)).status_code == 404
        assert (await send(client, created | {"trigger": rotated["trigger"]})).status_code == 401
        assert (await send(client, rotated)).status_code == 202

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"workflowId": "wf_none"}, "/workflowId"),
            ({"projectId": "proj_none"}, "/workflowId"),
            ({"inputs": {"none": "/a"}}, "/inputs/none"),
        ],
    )
    async def test_refuses(
        self, client: httpx.AsyncClient, workflow_id: str, changes: dict[str, Any], pointer: str
    ) -> None:
        body = {"name": "x", "workflowId": workflow_id, "signature": "bearer"} | changes

        response = await client.post("/triggers", json=body)

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == pointer

    async def test_preview_and_replay(
        self, client: httpx.AsyncClient, harness: RunHarness, workflow_id: str
    ) -> None:
        created = await create(client, workflow_id)
        path = f"/triggers/{created['trigger']['id']}"
        empty = await client.post(f"{path}/preview", json={"inputs": POINTERS})
        await send(client, created)
        [delivery] = await list_deliveries(client, created)

        preview = await client.post(f"{path}/preview", json={"inputs": {"topic": "/issue/number"}})
        replayed = await client.post(f"{path}/deliveries/{delivery['id']}/replay")

        assert empty.json()["deliveryId"] is None
        topic, depth = preview.json()["inputs"]
        assert (topic["isFound"], topic["value"], topic["problem"] is None) == (True, 3, False)
        assert (depth["isFound"], depth["problem"]) == (False, None)
        assert replayed.status_code == 201, replayed.text
        assert replayed.json()["replayOf"] == delivery["id"]
        first, second = await list_runs(harness)
        assert (first.inputs, second.created_by) == (second.inputs, "owner")


class TestStore:
    async def test_conflicts_and_limits(
        self,
        client: httpx.AsyncClient,
        harness: RunHarness,
        workflow_id: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        trigger_id = (await create(client, workflow_id))["trigger"]["id"]
        monkeypatch.setattr(repository, "KEPT_DELIVERIES", 3)
        monkeypatch.setattr(repository, "KEPT_BODIES", 2)

        async def store(number: int, run_id: str | None) -> bool:
            values = {
                "id": f"trigdel_{number}",
                "workspace_id": "ws_default",
                "delivery_key": str(number),
                "received_at": now(),
                "size": 2,
                "body": "{}",
                "run_id": run_id,
                "error": None,
            }
            async with unit_of_work(harness.container.sessions) as session:
                deliveries = TriggerDeliveryRepository(session, trigger_id)
                is_stored = await deliveries.store(values)
                await deliveries.prune()
                return is_stored

        run_id = await harness.create()
        assert [await store(number, run_id) for number in range(5)] == [True] * 5
        assert not await store(4, run_id)
        assert [await store(5, None), await store(5, run_id), await store(5, run_id)] == [
            *(True, True),
            False,
        ]
        async with read_session(harness.container.sessions) as session:
            assert await session.scalar(select(func.count()).select_from(TriggerDeliveryRow)) == 3
            bodies = select(func.count()).where(TriggerDeliveryRow.body.is_not(None))
            assert await session.scalar(bodies) == 2
