"""Starting, stopping, resuming and forking runs through the HTTP API of a server process."""

import pytest

from tests.support.scripted_provider import Fail, Hang, Say, ScriptedProvider
from tests.support.server_process import TWO_TASKS, ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew]


class TestStartRun:
    def test_completes_with_events_without_gaps(self, client: ApiClient, provider: ScriptedProvider) -> None:
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

    def test_usage_of_calls_adds_up_to_the_total(self, client: ApiClient) -> None:
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")

        usage = client.get(f"/api/runs/{run_id}/usage")

        assert usage["total"]["llmCalls"] == 2 == len(usage["calls"])
        assert usage["total"]["totalTokens"] == sum(call["usage"]["totalTokens"] for call in usage["calls"])
        costs = [float(call["usage"]["cost"]["amount"]) for call in usage["calls"]]
        assert float(usage["total"]["cost"]["amount"]) == pytest.approx(sum(costs))
        assert set(usage["byTask"]) == {"research", "report"}
        assert usage["total"] == client.run(run_id)["usage"]

    def test_version_1_routes_work(self, client: ApiClient) -> None:
        answer = client.post("/api/workflows/start", {"workflow": TWO_TASKS})

        assert answer["workflowId"] == answer["runId"]
        assert answer["status"] == "started"
        client.wait_for_state(answer["runId"], "completed")
        status = client.get(f"/api/workflows/{answer['workflowId']}/status")
        assert status["status"] == "completed"
        assert status["progress"] == 100
        assert {agent["status"] for agent in status["agents"]} == {"completed"}
        second_stop = client.http.post("/api/workflows/stop", json={"workflowId": answer["workflowId"]})
        assert second_stop.status_code == 409

    def test_same_idempotency_key_starts_one_run(self, client: ApiClient) -> None:
        body = {"workflow": TWO_TASKS}
        headers = {"Idempotency-Key": "once-and-only-once"}

        first = client.post("/api/workflows/start", body, headers)
        second = client.post("/api/workflows/start", body, headers)
        other = client.http.post(
            "/api/workflows/start", json={**body, "inputs": {"topic": "coffee"}}, headers=headers
        )

        assert first == second
        assert other.status_code == 409

    def test_inline_provider_is_not_stored(self, client: ApiClient, provider: ScriptedProvider) -> None:
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

    def test_concurrent_runs_do_not_mix_their_events(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.on(lambda request: Say(request.last_message[:500]))
        topics = [f"topic-{number:03}" for number in range(50)]
        runs = {topic: client.start_run(TWO_TASKS, inputs={"topic": topic}) for topic in topics}

        for topic, run_id in runs.items():
            client.wait_for_state(run_id, "completed")
            events = client.events(run_id)
            assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
            text = str(events)
            assert topic in text
            assert not any(other in text for other in topics if other != topic)


class TestStopRun:
    def test_closes_the_open_model_call(self, client: ApiClient, provider: ScriptedProvider) -> None:
        provider.on(Hang(60))
        run_id = client.start_run(TWO_TASKS)
        provider.wait_for_requests(1)

        answer = client.post("/api/workflows/stop", {"workflowId": run_id})

        assert answer["status"] == "stopped"
        receipt = answer["receipt"]
        assert receipt["mode"] == "graceful"
        assert receipt["llmCallsInFlight"] == 1
        assert receipt["llmCallsAfterStop"] == 0
        assert [receipt[f"tasks{state}"] for state in ("Completed", "Interrupted", "Skipped")] == [0, 1, 1]
        provider.wait_for_disconnects(1)
        assert len(provider.requests) == 1
        assert client.events(run_id)[-1]["type"] == "run.stopped"


class TestFailedRun:
    def test_rejected_api_key_fails_the_run_with_the_provider_error(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        provider.on(Fail(401, "Incorrect API key provided"))

        run_id = client.start_run(TWO_TASKS)
        run = client.wait_for_state(run_id, "failed")

        assert run["error"]["code"] == "provider-auth"
        assert "scripted" in run["error"]["message"]
        assert run["error"]["taskKey"] == "research"
        assert run["error"]["hint"]


class TestResumeRun:
    def test_failed_run_resumes_from_its_last_finished_task(
        self, client: ApiClient, provider: ScriptedProvider
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
        research_calls = [
            request for request in provider.requests if "Find facts" in str(request.messages[-1])
        ]
        assert len(research_calls) == 1
        assert "task.reused" in {event["type"] for event in client.events(run_id)}

    def test_timed_out_run_gets_a_new_time_limit(self, client: ApiClient, provider: ScriptedProvider) -> None:
        provider.on(Say("Tea is a plant."), contains="Find facts")
        provider.on(Hang(), contains="Write about", times=1)
        run_id = client.start_run(TWO_TASKS + "timeout_seconds: 2\n")
        client.wait_for_state(run_id, "failed")
        assert client.run(run_id)["error"]["code"] == "run-timeout"
        provider.on(Say("A report on tea."), contains="Write about")

        client.post(f"/api/runs/{run_id}/resume", {})

        client.wait_for_state(run_id, "completed")
        research_calls = [call for call in provider.requests if "Find facts" in str(call.messages[-1])]
        assert len(research_calls) == 1

    def test_exceeded_budget_waits_and_resumes_with_a_higher_one(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        run_id = client.start_run(TWO_TASKS, budget={"maxLlmCalls": 1})
        run = client.wait_for_state(run_id, "waiting")

        assert run["waitReason"] == "budget"
        assert len(provider.requests) == 1
        client.post(f"/api/runs/{run_id}/resume", {"budget": {"maxLlmCalls": 5}})
        done = client.wait_for_state(run_id, "completed")
        assert done["usage"]["llmCalls"] == 2
        assert len(provider.requests) == 2


class TestForkRun:
    def test_reuses_the_outputs_before_the_forked_task(
        self, client: ApiClient, provider: ScriptedProvider
    ) -> None:
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")
        before = len(provider.requests)

        fork = client.post(f"/api/runs/{run_id}/fork", {"fromTask": "report"})["run"]
        run = client.wait_for_state(fork["id"], "completed")

        assert run["forkedFrom"] == run_id
        assert len(provider.requests) == before + 1


class TestEventStream:
    def test_reconnect_continues_after_the_last_event(self, client: ApiClient) -> None:
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")
        all_ids = [frame["id"] for frame in client.stream(run_id) if frame["id"]]

        for position in range(1, len(all_ids)):
            rest = [frame["id"] for frame in client.stream(run_id, after=position) if frame["id"]]
            assert rest == all_ids[position:]
