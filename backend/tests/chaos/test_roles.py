"""API and worker as separate processes."""

from collections.abc import Iterator

import pytest

from tests.chaos.deployment import LocalDeployment
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import TWO_TASKS, ApiClient

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDeployment]:
    with LocalDeployment(tmp_path_factory.mktemp("roles"), replicas=1, workers=1) as running:
        yield running


@pytest.fixture
def client(deployment: LocalDeployment) -> Iterator[ApiClient]:
    """An authenticated client of the API process; removes the test's providers afterwards."""
    with ApiClient(deployment.urls[0]) as authenticated:
        yield authenticated
        for provider in authenticated.get("/api/providers")["providers"]:
            authenticated.http.delete(f"/api/providers/{provider['id']}", params={"force": True})


class TestSeparateRoles:
    def test_about_reports_the_engine_elsewhere(self, client: ApiClient) -> None:
        about = client.get("/api/about")

        assert (about["role"], about["engine"]["state"], about["workers"]) == ("api", "elsewhere", 1)

    def test_chat_about_a_finished_run_works_in_the_api_process(self, client: ApiClient) -> None:
        with ScriptedProvider() as provider:
            client.register_provider(provider.base_url)
            run_id = client.start_run(TWO_TASKS)
            client.wait_for_state(run_id, "completed")

            reply = client.post("/api/chat", {"workflowId": run_id, "message": "What came out?"})

        assert reply["response"] == "Answer 3"

    def test_stop_request_reaches_the_worker(self, client: ApiClient) -> None:
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

    def test_message_reaches_the_agent_in_the_worker(self, client: ApiClient) -> None:
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
