"""The whole server with crews in child processes: kills and a run that freezes its process."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.metrics_page import MetricsPage
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(300)]

TWO_TASKS = """\
name: Two tasks
agents:
  worker: {role: Worker, goal: Work, backstory: Steady.}
tasks:
  one: {description: "Do number one for {who}", expected_output: Done, agent: worker}
  two: {description: "Do number two for {who}", expected_output: Done, agent: worker}
inputs:
  who: {type: string, default: me}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    planted = str(Path(__file__).parent / "planted_faults")
    folder = tmp_path_factory.mktemp("hosts")
    product = ServerProcess(folder / "data", CREW_HOSTS="2", CREW_HOST_MEMORY_MB="600", PYTHONPATH=planted)
    yield product.start()
    product.stop()


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        yield scripted


@pytest.fixture
def client(server: ServerProcess, provider: ScriptedProvider) -> Iterator[ApiClient]:
    with server.client() as authenticated:
        for previous in authenticated.get("/api/providers")["providers"]:
            authenticated.http.delete(f"/api/providers/{previous['id']}", params={"force": True})
        authenticated.register_provider(provider.base_url)
        yield authenticated


def host_pids(server: ServerProcess) -> list[int]:
    """The processes that run crews: children of the process that the server forks them from."""
    parents = {int(stat.parent.name): _parent_pid(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
    children = [pid for pid, parent in parents.items() if parent == server.pid]
    return [pid for pid, parent in parents.items() if parent in children]


def _parent_pid(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[1])
    except OSError:  # the process has ended
        return 0


def test_killed_hosts_lose_no_run(
    server: ServerProcess, client: ApiClient, provider: ScriptedProvider
) -> None:
    names = [f"person-{number}" for number in range(8)]
    provider.on(Say("One is done."), last_contains="number one")
    provider.on(Hold("two", Say("Two is done.")), last_contains="number two")
    runs = {who: client.start_run(TWO_TASKS, inputs={"who": who}) for who in names}
    provider.wait_for_requests(2 * len(names), timeout=90)

    for pid in host_pids(server):
        os.kill(pid, signal.SIGKILL)
    provider.wait_for_requests(3 * len(names), timeout=90)
    provider.release("two")

    for who, run_id in runs.items():
        run = client.wait_for_state(run_id, "completed")
        events = client.events(run_id)
        assert run["attempt"] == 1
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert sum(event["type"] == "run.completed" for event in events) == 1
        calls = [request.text for request in provider.requests if f"for {who}" in request.text]
        assert sum("number two" not in text for text in calls) == 1


def test_run_that_freezes_its_process_fails_alone(client: ApiClient, provider: ScriptedProvider) -> None:
    provider.on(Say("FREEZE"), last_contains="for the freezer")
    provider.on(Hold("others", Say("Done.")), last_contains="for person")
    others = [client.start_run(TWO_TASKS, inputs={"who": f"person-{number}"}) for number in range(6)]
    provider.wait_for_requests(len(others), timeout=90)

    frozen = client.start_run(TWO_TASKS, inputs={"who": "the freezer"})
    run = client.wait_for_state(frozen, "failed", timeout=240)
    provider.release("others")

    assert run["error"]["code"] == "engine-frozen"
    assert "`llm.started`" in run["error"]["message"]
    for run_id in others:
        client.wait_for_state(run_id, "completed")
    events = client.events(frozen)
    opened = [event for event in events if event["type"] == "llm.started"]
    ended = [event for event in events if event["type"] in ("llm.completed", "llm.failed")]
    assert len(opened) == len(ended) == 2


def test_host_that_leaks_memory_is_replaced_without_a_run_noticing(
    server: ServerProcess, client: ApiClient, provider: ScriptedProvider
) -> None:
    provider.on(Say("LEAK"), last_contains="number one for the leak")
    provider.on(Hold("leak", Say("Done.")), last_contains="number two for the leak")
    before = set(host_pids(server))

    leaking = client.start_run(TWO_TASKS, inputs={"who": "the leak"})
    provider.wait_for_requests(2, timeout=60)
    wait_until(lambda: retired_for_memory(server) == 1)
    later = [client.start_run(TWO_TASKS, inputs={"who": f"person-{number}"}) for number in range(4)]
    for run_id in later:
        client.wait_for_state(run_id, "completed")
    provider.release("leak")

    assert client.wait_for_state(leaking, "completed")["attempt"] == 1
    wait_until(lambda: len(host_pids(server)) == 2 and set(host_pids(server)) != before)


def wait_until(condition: Callable[[], bool]) -> None:
    """The time limit of the tests ends it."""
    while not condition():
        time.sleep(0.1)


def retired_for_memory(server: ServerProcess) -> float:
    with server.client() as client:
        page = MetricsPage(client.http.get("/metrics").text)
    return page("crew_hosts_retired_total", reason="memory")


def test_stop_reaches_a_crew_in_its_host(client: ApiClient, provider: ScriptedProvider) -> None:
    provider.on(Hold("never", Say("Too late.")), last_contains="number one")
    run_id = client.start_run(TWO_TASKS)
    provider.wait_for_requests(1)

    client.post(f"/api/runs/{run_id}/stop")

    run = client.wait_for_state(run_id, "stopped")
    assert run["receipt"]["llmCallsAfterStop"] == 0
    provider.wait_for_disconnects(1)
