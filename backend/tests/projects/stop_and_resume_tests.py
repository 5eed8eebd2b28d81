"""Stops and resumes of a project with several versions of CrewAI: `make test-projects`."""

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

import pytest

from tests.projects.project_folders import ExpectedRun
from tests.projects.project_server import (
    ENDS,
    RUN_SECONDS,
    TEST_SECONDS,
    OutcomeTable,
    ProjectOutcome,
    build_project,
    start_run,
    wait_for,
)
from tests.projects.two_tasks import FIRST, RULES, SECOND, list_files
from tests.support.scripted_provider import ProviderProcess
from tests.support.server_process import ServerProcess

VERSIONS = {
    "0.70.1": dt.date(2024, 12, 10),
    "0.86.0": dt.date(2024, 12, 12),
    "0.114.0": dt.date(2025, 4, 15),
    "1.15.30": dt.date(2026, 11, 25),
}
"""Versions and the day of the last change to the project."""
QUIET_SECONDS = 2.0

pytestmark = pytest.mark.timeout(TEST_SECONDS)


@dataclass
class TwoTasks:
    """A built project whose second task waits for the gate "second"."""

    server: ServerProcess
    provider: ProviderProcess
    project: dict[str, Any]
    expected: ExpectedRun
    outcome: ProjectOutcome

    def start_second_task(self) -> str:
        """Start a run and wait until the model is asked for the second task; return the run's id."""
        self.provider.reset()
        self.provider.script(RULES)
        with self.server.client() as client:
            run_id = start_run(client, self.project, self.expected)
        self.provider.wait_for_requests(2, timeout=RUN_SECONDS)
        return run_id

    def count_calls(self, text: str) -> int:
        return sum(text in request.text for request in self.provider.requests)


@pytest.fixture(scope="module", params=VERSIONS)
def two_tasks(
    request: pytest.FixtureRequest,
    server: ServerProcess,
    provider: ProviderProcess,
    outcomes: OutcomeTable,
) -> TwoTasks:
    version = request.param
    expected = ExpectedRun(date=VERSIONS[version])
    outcome = outcomes.add("(stop and resume)")
    with server.client() as client:
        project = build_project(client, list_files(version), expected, outcome)
    assert outcome.crewai == version
    return TwoTasks(server, provider, project, expected, outcome)


def test_stop_closes_the_open_call(two_tasks: TwoTasks) -> None:
    two_tasks.outcome.stopped = False
    run_id = two_tasks.start_second_task()

    with two_tasks.server.client() as client:
        client.post(f"/api/v1/runs/{run_id}/stop")
        run = wait_for(client, f"/api/v1/runs/{run_id}", "run", ENDS, 30)

    receipt = run["receipt"]
    assert run["status"] == "stopped"
    assert (receipt["llmCallsInFlight"], receipt["llmCallsAfterStop"]) == (1, 0)
    assert (receipt["tasksCompleted"], receipt["tasksInterrupted"]) == (1, 1)
    two_tasks.provider.wait_for_disconnects(1)
    time.sleep(QUIET_SECONDS)
    assert (two_tasks.count_calls(FIRST), two_tasks.count_calls(SECOND)) == (1, 1)
    two_tasks.outcome.stopped = True


def test_killed_server_resumes_after_the_finished_task(two_tasks: TwoTasks) -> None:
    two_tasks.outcome.resumed = False
    run_id = two_tasks.start_second_task()

    two_tasks.server.kill()
    two_tasks.provider.release("second")
    two_tasks.server.start()

    with two_tasks.server.client() as client:
        run = wait_for(client, f"/api/v1/runs/{run_id}", "run", ENDS, RUN_SECONDS)
        types = [event["type"] for event in client.events(run_id)]
    assert (run["status"], run["error"]) == ("completed", None)
    assert (two_tasks.count_calls(FIRST), two_tasks.count_calls(SECOND)) == (1, 2)
    assert types.count("task.reused") == 1
    assert run["result"]["raw"] == "Five boxes"
    two_tasks.outcome.resumed = True
