"""What a person with curl does: start a crew, watch it, read what it brought."""

import pytest

from tests.support.scripted_provider import Fail, Hang, Say, ScriptedProvider
from tests.support.server_process import TWO_TASKS, ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew]


def test_a_crew_runs_and_its_story_has_no_gaps(client: ApiClient, provider: ScriptedProvider) -> None:
    provider.on(Say("Tea is a plant."), contains="Find facts")
    provider.on(Say("A report on tea."), contains="Write about")

    run_id = client.start_run(TWO_TASKS, inputs={"topic": "green tea"})
    frames = list(client.stream(run_id))

    assert frames[0]["type"] == "run.snapshot"
    stored = [frame for frame in frames[1:] if frame["type"] != "llm.chunk"]
    assert [int(frame["id"]) for frame in stored] == list(range(1, len(stored) + 1))
    assert stored[0]["type"] == "run.queued"
    assert stored[-1]["type"] == "run.completed"
    run = client.run(run_id)
    assert run["result"]["raw"] == "A report on tea."
    assert run["result"]["tasks"]["research"]["raw"] == "Tea is a plant."
    assert "green tea" in str(provider.requests[0].messages)


def test_usage_rows_sum_to_the_total(client: ApiClient) -> None:
    run_id = client.start_run(TWO_TASKS)
    client.wait_for_state(run_id, "completed")

    usage = client.get(f"/api/runs/{run_id}/usage")

    assert usage["total"]["llmCalls"] == 2 == len(usage["calls"])
    assert usage["total"]["totalTokens"] == sum(call["usage"]["totalTokens"] for call in usage["calls"])
    costs = [float(call["usage"]["cost"]["amount"]) for call in usage["calls"]]
    assert float(usage["total"]["cost"]["amount"]) == pytest.approx(sum(costs))
    assert set(usage["byTask"]) == {"research", "report"}
    assert usage["total"] == client.run(run_id)["usage"]


def test_the_first_versions_routes_work_as_written(client: ApiClient) -> None:
    answer = client.post("/api/workflows/start", {"workflow": TWO_TASKS})

    assert answer["workflowId"] == answer["runId"]
    assert answer["status"] == "started"
    client.wait_for_state(answer["runId"], "completed")
    status = client.get(f"/api/workflows/{answer['workflowId']}/status")
    assert status["status"] == "completed"
    assert status["progress"] == 100
    assert {agent["status"] for agent in status["agents"]} == {"completed"}
    again = client.http.post("/api/workflows/stop", json={"workflowId": answer["workflowId"]})
    assert again.status_code == 409


def test_a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice(client: ApiClient) -> None:
    run_id = client.start_run(TWO_TASKS)
    client.wait_for_state(run_id, "completed")
    whole = [frame["id"] for frame in client.stream(run_id) if frame["id"]]

    for cut in range(1, len(whole)):
        rest = [frame["id"] for frame in client.stream(run_id, after=cut) if frame["id"]]
        assert rest == whole[cut:]


def test_a_run_that_took_too_long_goes_on_with_its_time_anew(
    client: ApiClient, provider: ScriptedProvider
) -> None:
    provider.on(Say("Tea is a plant."), contains="Find facts")
    provider.on(Hang(), contains="Write about", times=1)
    run_id = client.start_run(TWO_TASKS + "timeout_seconds: 2\n")
    client.wait_for_state(run_id, "failed")
    assert client.run(run_id)["error"]["code"] == "run-timeout"
    provider.on(Say("A report on tea."), contains="Write about")

    client.post(f"/api/runs/{run_id}/resume", {})

    client.wait_for_state(run_id, "completed")
    facts_asked = [call for call in provider.requests if "Find facts" in str(call.messages[-1])]
    assert len(facts_asked) == 1


def test_a_stop_in_mid_call_is_true_at_the_provider(client: ApiClient, provider: ScriptedProvider) -> None:
    provider.on(Hang(60))
    run_id = client.start_run(TWO_TASKS)
    provider.wait_for_requests(1)

    answer = client.post("/api/workflows/stop", {"workflowId": run_id})

    assert answer["status"] == "stopped"
    receipt = answer["receipt"]
    assert receipt["mode"] == "graceful"
    assert receipt["llmCallsInFlight"] == 1
    assert receipt["llmCallsAfterStop"] == 0
    assert (receipt["tasksCompleted"], receipt["tasksSkipped"]) == (0, 2)
    provider.wait_for_disconnects(1)
    assert len(provider.requests) == 1
    assert client.events(run_id)[-1]["type"] == "run.stopped"


def test_a_refused_key_fails_the_run_in_the_providers_words(
    client: ApiClient, provider: ScriptedProvider
) -> None:
    provider.on(Fail(401, "Incorrect API key provided"))

    run_id = client.start_run(TWO_TASKS)
    run = client.wait_for_state(run_id, "failed")

    assert run["error"]["code"] == "provider-auth"
    assert "scripted" in run["error"]["message"]
    assert run["error"]["taskKey"] == "research"
    assert run["error"]["hint"]


def test_a_failed_run_resumes_from_its_last_finished_task(
    client: ApiClient, provider: ScriptedProvider
) -> None:
    provider.on(Say("Facts."), contains="Find facts")
    provider.on(Fail(400, "nonsense"), contains="Write about", times=1)
    run_id = client.start_run(TWO_TASKS)
    client.wait_for_state(run_id, "failed")
    provider.on(Say("The report."), contains="Write about")

    client.post(f"/api/runs/{run_id}/resume")
    run = client.wait_for_state(run_id, "completed")

    assert run["attempt"] == 2
    assert run["result"]["raw"] == "The report."
    asked = [request for request in provider.requests if "Find facts" in str(request.messages[-1])]
    assert len(asked) == 1
    assert "task.reused" in {event["type"] for event in client.events(run_id)}


def test_a_fork_takes_over_the_outputs_before_its_task(client: ApiClient, provider: ScriptedProvider) -> None:
    run_id = client.start_run(TWO_TASKS)
    client.wait_for_state(run_id, "completed")
    before = len(provider.requests)

    fork = client.post(f"/api/runs/{run_id}/fork", {"fromTask": "report"})["run"]
    run = client.wait_for_state(fork["id"], "completed")

    assert run["forkedFrom"] == run_id
    assert len(provider.requests) == before + 1


def test_the_budget_is_checked_before_each_call_and_can_be_raised(
    client: ApiClient, provider: ScriptedProvider
) -> None:
    run_id = client.start_run(TWO_TASKS, budget={"maxLlmCalls": 1})
    run = client.wait_for_state(run_id, "waiting")

    assert run["waitReason"] == "budget"
    assert len(provider.requests) == 1
    client.post(f"/api/runs/{run_id}/resume", {"budget": {"maxLlmCalls": 5}})
    done = client.wait_for_state(run_id, "completed")
    assert done["usage"]["llmCalls"] == 2
    assert len(provider.requests) == 2


def test_the_same_idempotency_key_starts_one_run(client: ApiClient) -> None:
    body = {"workflow": TWO_TASKS}
    headers = {"Idempotency-Key": "once-and-only-once"}

    first = client.post("/api/workflows/start", body, headers)
    second = client.post("/api/workflows/start", body, headers)
    other = client.http.post(
        "/api/workflows/start", json={**body, "inputs": {"topic": "coffee"}}, headers=headers
    )

    assert first == second
    assert other.status_code == 409


def test_a_provider_given_for_one_run_is_never_stored(client: ApiClient, provider: ScriptedProvider) -> None:
    config = {
        "name": "mine",
        "type": "openai_compatible",
        "apiKey": "sk-only-for-this-run-42",
        "baseUrl": provider.base_url,
        "models": ["some-model"],
    }

    run_id = client.start_run(TWO_TASKS, providerConfig=config)
    client.wait_for_state(run_id, "completed")

    assert "sk-only-for-this-run-42" in provider.requests[0].headers["authorization"]
    assert [p["name"] for p in client.get("/api/providers")["providers"]] == ["scripted"]


def test_many_runs_at_once_keep_their_stories_apart(client: ApiClient, provider: ScriptedProvider) -> None:
    provider.on(lambda request: Say(request.last_message[:500]))
    topics = [f"topic-{number:03}" for number in range(50)]
    runs = {topic: client.start_run(TWO_TASKS, inputs={"topic": topic}) for topic in topics}

    for topic, run_id in runs.items():
        client.wait_for_state(run_id, "completed")
        events = client.events(run_id)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        told = str(events)
        assert topic in told
        assert not any(other in told for other in topics if other != topic)
