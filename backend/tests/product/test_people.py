"""People in a run: approving, revising, rejecting, talking to the agents at work."""

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


def waiting_approval(client: ApiClient, run_id: str) -> dict:
    client.wait_for_state(run_id, "waiting")
    (approval,) = client.get("/api/approvals", status="open", runId=run_id)["approvals"]
    return approval


def test_an_approved_output_is_taken_and_not_asked_for_again(
    client: ApiClient, provider: ScriptedProvider
) -> None:
    provider.on(Say("The draft."), contains="Draft it", times=1)
    provider.on(Say("Polished."), contains="Polish it")
    run_id = client.start_run(REVIEWED)
    approval = waiting_approval(client, run_id)

    assert approval["output"] == "The draft."
    client.post(f"/api/approvals/{approval['id']}/resolve", {"action": "approve"})
    run = client.wait_for_state(run_id, "completed")

    assert run["result"]["tasks"]["draft"]["raw"] == "The draft."
    assert run["result"]["raw"] == "Polished."
    assert len(provider.requests) == 2
    types = [event["type"] for event in client.events(run_id)]
    for told in ("approval.requested", "run.waiting", "approval.resolved", "run.resumed"):
        assert told in types


def test_an_edited_output_replaces_the_agents(client: ApiClient, provider: ScriptedProvider) -> None:
    run_id = client.start_run(REVIEWED)
    approval = waiting_approval(client, run_id)

    client.post(f"/api/approvals/{approval['id']}/resolve", {"action": "approve", "edited": "My own words."})
    run = client.wait_for_state(run_id, "completed")

    assert run["result"]["tasks"]["draft"]["raw"] == "My own words."
    assert "My own words." in provider.requests[-1].text


def test_feedback_reaches_the_agent_with_its_earlier_answer(
    client: ApiClient, provider: ScriptedProvider
) -> None:
    provider.on(Say("First draft."), contains="Draft it", times=1)
    provider.on(Say("Second draft."), contains="Make it shorter", times=1)
    run_id = client.start_run(REVIEWED)
    first = waiting_approval(client, run_id)

    client.post(f"/api/approvals/{first['id']}/resolve", {"action": "revise", "feedback": "Make it shorter."})
    second = waiting_approval(client, run_id)

    assert second["id"] != first["id"]
    assert second["output"] == "Second draft."
    assert len(provider.requests) == 2
    assert "First draft." in provider.requests[1].text


def test_a_rejected_output_ends_the_run(client: ApiClient) -> None:
    run_id = client.start_run(REVIEWED)
    approval = waiting_approval(client, run_id)

    client.post(f"/api/approvals/{approval['id']}/resolve", {"action": "reject", "feedback": "No."})

    run = client.wait_for_state(run_id, "failed")
    assert run["error"]["code"] == "approval-rejected"


def test_a_question_is_answered_once(client: ApiClient) -> None:
    run_id = client.start_run(REVIEWED)
    approval = waiting_approval(client, run_id)
    path = f"/api/approvals/{approval['id']}/resolve"

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: client.http.post(path, json={"action": "approve"}).status_code,
                range(8),
            )
        )

    assert sorted(answers) == [200] + [409] * 7


def test_a_waiting_run_can_be_stopped(client: ApiClient) -> None:
    run_id = client.start_run(REVIEWED)
    approval = waiting_approval(client, run_id)

    receipt = client.post(f"/api/runs/{run_id}/stop")["receipt"]

    assert receipt["mode"] == "graceful"
    late = client.http.post(f"/api/approvals/{approval['id']}/resolve", json={"action": "approve"})
    assert late.status_code == 409


def test_words_to_a_run_that_asks_are_its_feedback(client: ApiClient, provider: ScriptedProvider) -> None:
    run_id = client.start_run(REVIEWED)
    waiting_approval(client, run_id)

    answer = client.post("/api/chat", {"workflowId": run_id, "message": "Add a title."})

    assert answer["answeredBy"] == "approval"
    waiting_approval(client, run_id)
    assert "Add a title." in provider.requests[-1].text


def test_a_message_reaches_the_agent_at_work_and_brings_its_answer(
    client: ApiClient, provider: ScriptedProvider
) -> None:
    provider.on(Hold("first", Say("Facts.")), contains="Find facts", times=1)
    provider.on(Say("Aye, with lemon."), contains="Mention lemon", times=1)
    run_id = client.start_run(TWO_TASKS)
    provider.wait_for_requests(1)
    replies: list[dict] = []
    talk = threading.Thread(
        target=lambda: replies.append(
            client.post("/api/chat", {"workflowId": run_id, "message": "Mention lemon"})
        )
    )
    talk.start()
    client.wait_for_event(run_id, "message.queued")

    provider.release("first")
    talk.join(60)

    (reply,) = replies
    assert reply["answeredBy"] == "agent"
    assert reply["response"] == "Aye, with lemon."
    assert reply["delivery"] == {"status": "answered", "call": 2, "agent": "writer"}
    types = [event["type"] for event in client.events(run_id)]
    assert types.index("message.queued") < types.index("message.delivered") < types.index("message.answered")
    (message,) = client.get(f"/api/runs/{run_id}/messages")["messages"]
    assert message["status"] == "answered"


def test_a_finished_run_answers_about_its_result(client: ApiClient, provider: ScriptedProvider) -> None:
    provider.on(Say("It was about tea."), last_contains="What was it about?")
    run_id = client.start_run(TWO_TASKS)
    client.wait_for_state(run_id, "completed")

    answer = client.post("/api/chat", {"workflowId": run_id, "message": "What was it about?"})

    assert answer["answeredBy"] == "result"
    assert answer["response"] == "It was about tea."
    assert answer["usage"]["llmCalls"] == 1
    assert client.run(run_id)["usage"]["llmCalls"] == 2


def test_an_answer_streams_when_asked_to(client: ApiClient, provider: ScriptedProvider) -> None:
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


def test_a_message_to_an_unknown_agent_says_whom_there_is(client: ApiClient) -> None:
    run_id = client.start_run(TWO_TASKS)

    refused = client.http.post(f"/api/runs/{run_id}/messages", json={"text": "Hi", "agent": "boss"})

    assert refused.status_code == 422
    assert "researcher, writer" in refused.json()["detail"]
