"""Runs survive a kill or a shutdown of the server process."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.database import fresh_database
from tests.support.environment import PROCESS_TEST_BACKENDS
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

THREE_TASKS = """\
name: Three tasks
agents:
  worker: {role: Worker, goal: Work, backstory: Steady.}
tasks:
  one: {description: "Do number one for {who}", expected_output: Done, agent: worker}
  two: {description: "Do number two for {who}", expected_output: Done, agent: worker}
  three: {description: "Do number three for {who}", expected_output: Done, agent: worker}
inputs:
  who: {type: string, default: me}
"""
REVIEWED = THREE_TASKS.replace(
    "expected_output: Done, agent: worker}", "expected_output: Done, agent: worker, human_input: true}", 1
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with the default settings, not yet started."""
    product = ServerProcess(tmp_path / "data")
    yield product
    if product.is_running:
        product.stop()


# On PostgreSQL, tests/chaos/test_kills.py kills every process under load.
@pytest.fixture(params=PROCESS_TEST_BACKENDS)
def server_on_each_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServerProcess]:
    with fresh_database(request.param, tmp_path) as url:
        product = ServerProcess(tmp_path / "data", DATABASE_URL=url)
        yield product
        if product.is_running:
            product.stop()


def count_calls(provider: ScriptedProvider, text: str, who: str) -> int:
    return sum(text in r.text and f"for {who}" in r.text for r in provider.requests)


class TestKill:
    def test_runs_resume_from_their_last_finished_task(self, server_on_each_database: ServerProcess) -> None:
        server = server_on_each_database
        names = [f"person-{number:02}" for number in range(8)]
        with ScriptedProvider() as provider:
            provider.on(Say("One is done."), last_contains="number one")
            provider.on(Hold("two", Say("Two is done.")), last_contains="number two")
            with server.start().client() as client:
                client.register_provider(provider.base_url)
                runs = {who: client.start_run(THREE_TASKS, inputs={"who": who}) for who in names}
                provider.wait_for_requests(2 * len(names), timeout=60)
                before = {who: client.events(run_id) for who, run_id in runs.items()}
            server.kill()
            provider.release("two")

            with server.start().client() as client:
                for who, run_id in runs.items():
                    run = client.wait_for_state(run_id, "completed")
                    events = client.events(run_id)
                    assert run["attempt"] == 1
                    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
                    assert events[: len(before[who])] == before[who]
                    assert sum(event["type"] == "run.completed" for event in events) == 1
                    assert count_calls(provider, "number one", who) >= 1

            # Finished tasks are not repeated; the call in flight at the kill is repeated once.
            for who in names:
                first_calls = [
                    r for r in provider.requests if "number one" in r.last_message and f"for {who}" in r.text
                ]
                second_calls = [
                    r for r in provider.requests if "number two" in r.last_message and f"for {who}" in r.text
                ]
                assert (len(first_calls), len(second_calls)) == (1, 2)

    def test_open_approval_survives(self, server: ServerProcess) -> None:
        with ScriptedProvider() as provider:
            with server.start().client() as client:
                client.register_provider(provider.base_url)
                run_id = client.start_run(REVIEWED)
                client.wait_for_state(run_id, "waiting")
            server.kill()

            with server.start().client() as client:
                (approval,) = client.get("/api/approvals", status="open")["approvals"]
                client.post(f"/api/approvals/{approval['id']}/resolve", {"action": "approve"})
                client.wait_for_state(run_id, "completed")
            assert len(provider.requests) == 3

    def test_stop_request_is_completed_at_the_next_start(self, server: ServerProcess) -> None:
        with ScriptedProvider() as provider:
            provider.on(Hold("never", Say("x")))
            with server.start().client() as client:
                client.register_provider(provider.base_url)
                run_id = client.start_run(THREE_TASKS)
                provider.wait_for_requests(1, timeout=60)
                with pytest.raises(httpx.ReadTimeout):
                    client.http.post(f"/api/runs/{run_id}/stop", json={"mode": "after-step"}, timeout=1)
            server.kill()

            with server.start().client() as client:
                run = client.wait_for_state(run_id, "stopped")
            assert run["receipt"]["llmCallsAfterStop"] == 0
            assert len(provider.requests) == 1


class TestShutdown:
    def test_running_crews_are_requeued(self, server: ServerProcess) -> None:
        with ScriptedProvider() as provider:
            provider.on(Say("One is done."), last_contains="number one")
            provider.on(Hold("two", Say("Two is done.")), last_contains="number two")
            server._settings["DRAIN_SECONDS"] = "1"
            with server.start().client() as client:
                client.register_provider(provider.base_url)
                run_id = client.start_run(THREE_TASKS)
                provider.wait_for_requests(2, timeout=60)
            assert server.stop() == 0
            provider.release("two")

            with server.start().client() as client:
                client.wait_for_state(run_id, "completed")
            assert len(provider.requests) == 4


class TestDataDirLock:
    def test_second_process_is_rejected(self, tmp_path: Path) -> None:
        first = ServerProcess(tmp_path / "data").start()
        second = ServerProcess(tmp_path / "data")

        with pytest.raises(AssertionError, match="already uses"):
            second.start()

        first.stop()
