"""Approvals, messages to running agents and chat about results."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import TWO_TASKS, ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew]

REVIEWED = """\
name: Reviewed
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  draft: {description: Draft it, expected_output: A draft, agent: writer, human_input: true}
  polish: {description: Polish it, expected_output: A text, agent: writer, context: [draft]}
"""


def wait_for_approval(client: ApiClient, run_id: str) -> dict:
    client.wait_for_state(run_id, "waiting")
    (approval,) = client.get("/api/approvals", status="open", runId=run_id)["approvals"]
    return approval


class TestApprovals:
    def test_approve_keeps_the_output_without_another_model_call(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("The draft."), contains="Draft it", times=1)
        provider.on(Say("Polished."), contains="Polish it")
        run_id = client.start_run(REVIEWED)
        approval = wait_for_approval(client, run_id)

        assert approval["output"] == "The draft."
        client.post(f"/api/approvals/{approval['id']}/resolve", {"action": "approve"})
        run = client.wait_for_state(run_id, "completed")

        assert run["result"]["tasks"]["draft"]["raw"] == "The draft."
        assert run["result"]["raw"] == "Polished."
        assert len(provider.requests) == 2
        types = [event["type"] for event in client.events(run_id)]
        for expected in ("approval.requested", "run.waiting", "approval.resolved", "run.resumed"):
            assert expected in types

    def test_approve_with_edited_text_replaces_the_output(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        run_id = client.start_run(REVIEWED)
        approval = wait_for_approval(client, run_id)

        client.post(
            f"/api/approvals/{approval['id']}/resolve", {"action": "approve", "edited": "My own words."}
        )
        run = client.wait_for_state(run_id, "completed")

        assert run["result"]["tasks"]["draft"]["raw"] == "My own words."
        assert "My own words." in provider.requests[-1].text

    def test_revise_sends_feedback_and_the_earlier_output_to_the_agent(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("First draft."), contains="Draft it", times=1)
        provider.on(Say("Second draft."), contains="Make it shorter", times=1)
        run_id = client.start_run(REVIEWED)
        first = wait_for_approval(client, run_id)

        client.post(
            f"/api/approvals/{first['id']}/resolve", {"action": "revise", "feedback": "Make it shorter."}
        )
        second = wait_for_approval(client, run_id)

        assert second["id"] != first["id"]
        assert second["output"] == "Second draft."
        assert len(provider.requests) == 2
        assert "First draft." in provider.requests[1].text

    def test_reject_fails_the_run(self, client: ApiClient) -> None:
        run_id = client.start_run(REVIEWED)
        approval = wait_for_approval(client, run_id)

        client.post(f"/api/approvals/{approval['id']}/resolve", {"action": "reject", "feedback": "No."})

        run = client.wait_for_state(run_id, "failed")
        assert run["error"]["code"] == "approval-rejected"

    def test_concurrent_resolves_accept_exactly_one(self, client: ApiClient) -> None:
        run_id = client.start_run(REVIEWED)
        approval = wait_for_approval(client, run_id)
        path = f"/api/approvals/{approval['id']}/resolve"

        decisions = [{"action": "approve"}, {"action": "revise", "feedback": "Shorter."}] * 4

        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda one: (client.http.post(path, json=one).status_code, one["action"]), decisions)
            )

        # Whoever repeats the decision that was stored is told so; the other one is refused.
        (accepted,) = {action for status, action in answers if status == 200}
        assert sorted(status for status, _ in answers) == [200] * 4 + [409] * 4
        events = client.events(run_id)
        resolved = [event for event in events if event["type"] == "approval.resolved"]
        assert [event["data"]["action"] for event in resolved] == [accepted]

    def test_stop_while_waiting_closes_the_approval(self, client: ApiClient) -> None:
        run_id = client.start_run(REVIEWED)
        approval = wait_for_approval(client, run_id)

        receipt = client.post(f"/api/runs/{run_id}/stop")["receipt"]

        assert receipt["mode"] == "graceful"
        late = client.http.post(f"/api/approvals/{approval['id']}/resolve", json={"action": "approve"})
        assert late.status_code == 409

    def test_chat_with_a_waiting_run_is_feedback(self, client: ApiClient, provider: ScriptedProvider) -> None:
        run_id = client.start_run(REVIEWED)
        wait_for_approval(client, run_id)

        answer = client.post("/api/chat", {"workflowId": run_id, "message": "Add a title."})

        assert answer["answeredBy"] == "approval"
        wait_for_approval(client, run_id)
        assert "Add a title." in provider.requests[-1].text


class TestMessages:
    def test_message_reaches_the_running_agent_and_returns_its_reply(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Hold("first", Say("Facts.")), contains="Find facts", times=1)
        provider.on(Say("Aye, with lemon."), contains="Mention lemon", times=1)
        run_id = client.start_run(TWO_TASKS)
        provider.wait_for_requests(1)
        replies: list[dict] = []
        sender = threading.Thread(
            target=lambda: replies.append(
                client.post("/api/chat", {"workflowId": run_id, "message": "Mention lemon"})
            )
        )
        sender.start()
        client.wait_for_event(run_id, "message.queued")

        provider.release("first")
        sender.join(60)

        (reply,) = replies
        assert reply["answeredBy"] == "agent"
        assert reply["response"] == "Aye, with lemon."
        assert reply["delivery"] == {"status": "answered", "call": 2, "agent": "writer"}
        types = [event["type"] for event in client.events(run_id)]
        assert (
            types.index("message.queued") < types.index("message.delivered") < types.index("message.answered")
        )
        (message,) = client.get(f"/api/runs/{run_id}/messages")["messages"]
        assert message["status"] == "answered"

    def test_unknown_agent_is_rejected_with_the_known_agents(self, client: ApiClient) -> None:
        run_id = client.start_run(TWO_TASKS)

        refused = client.http.post(f"/api/runs/{run_id}/messages", json={"text": "Hi", "agent": "boss"})

        assert refused.status_code == 422
        assert "researcher, writer" in refused.json()["detail"]


class TestChatAboutResult:
    def test_reply_is_based_on_the_result_and_not_charged_to_the_run(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Say("It was about tea."), last_contains="What was it about?")
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")

        answer = client.post("/api/chat", {"workflowId": run_id, "message": "What was it about?"})

        assert answer["answeredBy"] == "result"
        assert answer["response"] == "It was about tea."
        assert answer["usage"]["llmCalls"] == 1
        assert client.run(run_id)["usage"]["llmCalls"] == 2

    def test_reply_is_streamed_on_request(self, client: ApiClient, provider: ScriptedProvider) -> None:
        provider.on(Say("One two three."), last_contains="Count")
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")

        with client.http.stream(
            "POST",
            "/api/chat",
            json={"workflowId": run_id, "message": "Count"},
            headers={"Accept": "text/event-stream"},
        ) as response:
            body = response.read().decode()

        assert body.count("event: chunk") >= 2
        assert body.count("event: answer") == 1
        assert "One two three." in body
