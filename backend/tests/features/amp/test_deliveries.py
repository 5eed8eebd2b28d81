"""Webhooks report a run's progress in order, signed, at least once, and only where they may."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.run_webhooks import RunWebhookRow
from crewai_runner.domain.run import RunResult
from crewai_runner.domain.run_event_payloads import ToolCompletedData, ToolStartedData
from crewai_runner.domain.run_events import ToolCompleted, ToolStarted
from crewai_runner.executor.port import Completed, Failed, NeedsHuman
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.amp.deliveries import DeliveryDeps, WebhookDeliveries
from crewai_runner.features.amp.repository import MAX_FAILURES
from tests.features.amp.test_router import BASE, SLUG, kickoff, status, workflow
from tests.support.builders import FAILURE, call, completed, started
from tests.support.harness import RunHarness
from tests.support.webhook_receiver import WebhookReceiver

__all__ = ["workflow"]
pytestmark = [
    pytest.mark.harness(allow_private_hosts=True),
    pytest.mark.usefixtures("workflow"),
    pytest.mark.each_database,
]

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
TOKEN = "canary-token-of-the-receiver"
EVENTS = [
    started("draft", "writer"),
    call(key="draft", agent="writer"),
    ToolStarted(
        task_key="draft",
        agent="writer",
        data=ToolStartedData(tool="search", tool_call_id="t1", arguments={"q": "tea"}),
    ),
    ToolCompleted(
        task_key="draft",
        agent="writer",
        data=ToolCompletedData(tool="search", tool_call_id="t1", output="Leaves.", duration_ms=1),
    ),
    completed("draft", "A draft.", "writer"),
]


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as opened:
        yield opened


def make_deliveries(harness: RunHarness, **changes: Any) -> WebhookDeliveries:
    container = harness.container
    deps = DeliveryDeps(container.sessions, container.cipher, container.egress, container.mask, SECRET)
    return WebhookDeliveries(replace(deps, retry_seconds=(0,), **changes))


def all_urls(receiver: WebhookReceiver) -> dict[str, str]:
    return {f"{kind}WebhookUrl": f"{receiver.url}/{kind}" for kind in ("task", "step", "crew")}


async def run_crew(harness: RunHarness, kickoff_id: str, attempt: int = 1) -> None:
    await harness.execute(kickoff_id, attempt)


async def webhook_row(harness: RunHarness) -> RunWebhookRow | None:
    async with read_session(harness.container.sessions) as session:
        return await session.scalar(select(RunWebhookRow))


class TestPayloads:
    async def test_are_those_of_amp(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        harness.executor = ScriptedExecutor(Script(EVENTS, Completed(RunResult(raw="Done."))))
        kickoff_id = await kickoff(client, meta={"requestId": "r-1"}, **all_urls(receiver))
        common = {"kickoff_id": kickoff_id, "meta": {"requestId": "r-1"}}

        await run_crew(harness, kickoff_id)
        await make_deliveries(harness).send_due()

        assert [one.path for one in receiver.received] == ["/step", "/task", "/crew"]
        assert receiver.on("/step") == [
            {
                "prompt": "d",
                "thought": "t",
                "tool": "search",
                "tool_input": '{"q": "tea"}',
                "result": "Leaves.",
                "agent": "Writer of {topic}",
            }
            | common
        ]
        [task] = receiver.on("/task")
        assert (task["name"], task["output"], task["expected_output"]) == ("draft", "A draft.", "A draft")
        [crew] = receiver.on("/crew")
        assert (crew["status"], crew["result"], crew["error"]) == ("completed", "Done.", None)
        assert crew["token_usage"] == {"total_tokens": 10, "prompt_tokens": 5, "completion_tokens": 5}
        assert task["meta"] == crew["meta"] == common["meta"]

    async def test_failure_and_waiting_are_reported(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        harness.executor = ScriptedExecutor(
            Script([], NeedsHuman("report", "writer", "A proposal.")), Script([], Failed(FAILURE))
        )
        kickoff_id = await kickoff(client, taskWebhookUrl=f"{receiver.url}/first")
        deliveries = make_deliveries(harness)
        await run_crew(harness, kickoff_id)
        await deliveries.send_due()
        feedback = {"execution_id": kickoff_id, "task_id": "report", "is_approve": True}
        more = {"taskWebhookUrl": f"{receiver.url}/second", "crewWebhookUrl": f"{receiver.url}/crew"}

        resumed = await client.post(f"{BASE}/{SLUG}/resume", json=feedback | more)
        await run_crew(harness, kickoff_id, 2)
        await deliveries.send_due()

        assert resumed.status_code == 200, resumed.text
        [waiting] = receiver.on("/first")
        assert (waiting["status"], waiting["execution_id"]) == ("awaiting_human_feedback", kickoff_id)
        assert (waiting["task_id"], waiting["output"]) == ("report", "A proposal.")
        assert [task["name"] for task in receiver.on("/second")] == ["report"]
        assert [(crew["status"], crew["error"]) for crew in receiver.on("/crew")] == [("error", "refused")]

    @pytest.mark.parametrize("realtime", [True, False])
    async def test_event_stream(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver, *, realtime: bool
    ) -> None:
        harness.executor = ScriptedExecutor(Script(EVENTS))
        stream = {
            "events": ["crew_kickoff_started", "tool_usage_finished", "crew_kickoff_completed"],
            "url": f"{receiver.url}/events",
            "realtime": realtime,
            "authentication": {"strategy": "bearer", "token": TOKEN},
        }
        kickoff_id = await kickoff(client, webhooks=stream)

        await run_crew(harness, kickoff_id)
        await make_deliveries(harness).send_due()

        events = [event for body in receiver.on("/events") for event in body["events"]]
        assert [event["type"] for event in events] == stream["events"]
        assert len(receiver.received) == (3 if realtime else 1)
        assert {event["execution_id"] for event in events} == {kickoff_id}
        assert events[1]["data"]["output"] == "Leaves."
        assert {one.headers["authorization"] for one in receiver.received} == {f"Bearer {TOKEN}"}


class TestDelivery:
    async def test_signature_follows_standard_webhooks(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        kickoff_id = await kickoff(client, crewWebhookUrl=f"{receiver.url}/crew")
        await run_crew(harness, kickoff_id)

        await make_deliveries(harness).send_due()

        [one] = receiver.received
        content = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
        digest = hmac.new(b"0123456789abcdef", content, hashlib.sha256).digest()
        assert one.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
        assert abs(int(one.headers["webhook-timestamp"]) - now().timestamp()) < 60

    async def test_failed_delivery_is_repeated_in_order(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        harness.executor = ScriptedExecutor(Script(EVENTS))
        receiver.answers = [500, 302, 200]
        kickoff_id = await kickoff(client, **all_urls(receiver))
        await run_crew(harness, kickoff_id)
        deliveries = make_deliveries(harness)

        await deliveries.send_due()
        failed = await status(client, kickoff_id)
        await deliveries.send_due()
        await deliveries.send_due()

        assert failed["webhook_error"] == "step: the receiver answered 500"
        assert [one.path for one in receiver.received] == ["/step", "/step", "/step", "/task", "/crew"]
        assert len({one.headers["webhook-id"] for one in receiver.received[:3]}) == 1
        assert await deliveries.send_due() == 0
        await deliveries.delete_finished()
        assert await webhook_row(harness) is None

    async def test_gives_up_after_the_last_failure(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        receiver.answers = [503] * 100
        kickoff_id = await kickoff(client, crewWebhookUrl=f"{receiver.url}/crew")
        await run_crew(harness, kickoff_id)
        deliveries = make_deliveries(harness)

        while await deliveries.send_due():
            pass

        assert len(receiver.received) == MAX_FAILURES
        assert (await status(client, kickoff_id))["webhook_error"] == "crew: the receiver answered 503"

    async def test_two_workers_send_once(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        kickoff_id = await kickoff(client, crewWebhookUrl=f"{receiver.url}/crew")
        await run_crew(harness, kickoff_id)

        await asyncio.gather(*(make_deliveries(harness).send_due() for _ in range(4)))

        assert len(receiver.received) == 1

    async def test_claim_of_a_lost_worker_ends(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        kickoff_id = await kickoff(client, crewWebhookUrl=f"{receiver.url}/crew")
        await run_crew(harness, kickoff_id)
        for seconds, expected in ((60, 0), (-1, 1)):
            async with unit_of_work(harness.container.sessions) as session:
                await session.execute(
                    update(RunWebhookRow).values(next_at=now() + timedelta(seconds=seconds))
                )
            await make_deliveries(harness).send_due()
            assert len(receiver.received) == expected

    async def test_host_that_became_private_is_not_contacted(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        """The check at the kickoff is repeated at each connection."""
        kickoff_id = await kickoff(client, crewWebhookUrl=f"{receiver.url}/crew")
        await run_crew(harness, kickoff_id)

        await make_deliveries(harness, egress=EgressPolicy(allow_private=False)).send_due()

        assert receiver.received == []
        assert (await status(client, kickoff_id))["webhook_error"] == "crew: This URL is not allowed"

    async def test_addresses_and_tokens_are_stored_encrypted(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        stream = {
            "events": ["task_completed"],
            "url": f"{receiver.url}/hook-canary",
            "authentication": {"strategy": "bearer", "token": TOKEN},
        }
        kickoff_id = await kickoff(client, webhooks=stream)

        row = await webhook_row(harness)

        assert row is not None
        assert "hook-canary" not in row.sealed_targets
        shown = (await client.get(f"/runs/{kickoff_id}")).text + str(await status(client, kickoff_id))
        assert "hook-canary" not in shown
        assert TOKEN not in shown


class TestDispatcher:
    async def test_sends_when_the_run_ends(
        self, client: httpx.AsyncClient, harness: RunHarness, receiver: WebhookReceiver
    ) -> None:
        task = asyncio.create_task(harness.container.webhooks.run())
        try:
            kickoff_id = await kickoff(client, crewWebhookUrl=f"{receiver.url}/crew")
            await run_crew(harness, kickoff_id)
            await asyncio.to_thread(receiver.wait_for, 1)
        finally:
            task.cancel()

        assert receiver.on("/crew")[0]["kickoff_id"] == kickoff_id
