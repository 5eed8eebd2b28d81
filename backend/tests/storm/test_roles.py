"""What a process does, and what it leaves to others, when the roles are split."""

from collections.abc import Iterator

import pytest

from tests.storm.fleet import LoopbackFleet
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import TWO_TASKS, ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackFleet]:
    with LoopbackFleet(tmp_path_factory.mktemp("roles"), replicas=1, workers=1) as running:
        yield running


@pytest.fixture
def client(fleet: LoopbackFleet) -> Iterator[ApiClient]:
    with ApiClient(fleet.urls[0]) as signed_in:
        yield signed_in
        for old in signed_in.get("/api/providers")["providers"]:
            signed_in.http.delete(f"/api/providers/{old['id']}", params={"force": True})


def test_an_api_process_says_that_crews_run_elsewhere(client: ApiClient) -> None:
    about = client.get("/api/about")

    assert (about["role"], about["engine"]["state"], about["workers"]) == ("api", "elsewhere", 1)


def test_a_finished_run_is_asked_about_where_no_crew_runs(client: ApiClient) -> None:
    with ScriptedProvider() as provider:
        client.register_provider(provider.base_url)
        run_id = client.start_run(TWO_TASKS)
        client.wait_for_state(run_id, "completed")

        answer = client.post("/api/chat", {"workflowId": run_id, "message": "What came out?"})

    assert answer["response"] == "Answer 3"


def test_a_stop_crosses_from_one_process_to_the_other(client: ApiClient) -> None:
    with ScriptedProvider() as provider:
        provider.on(Hold("never", Say("x")))
        client.register_provider(provider.base_url)
        run_id = client.start_run(TWO_TASKS)
        provider.wait_for_requests(1, timeout=60)

        client.post(f"/api/runs/{run_id}/stop")
        run = client.wait_for_state(run_id, "stopped")

        provider.wait_for_disconnects(1)
        assert run["receipt"]["llmCallsAfterStop"] == 0
        assert len(provider.requests) == 1


def test_a_message_crosses_to_the_crew_at_work_and_back(client: ApiClient) -> None:
    with ScriptedProvider() as provider:
        provider.on(Hold("first", Say("Facts.")), times=1)
        client.register_provider(provider.base_url)
        run_id = client.start_run(TWO_TASKS)
        provider.wait_for_requests(1, timeout=60)

        client.post(f"/api/runs/{run_id}/messages", {"text": "Mention the harvest."})
        provider.release("first")
        client.wait_for_state(run_id, "completed")

    (message,) = client.get(f"/api/runs/{run_id}/messages")["messages"]
    assert message["status"] in ("delivered", "answered")
    assert any("Mention the harvest." in request.text for request in provider.requests)
