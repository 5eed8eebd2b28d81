"""A run of a project on PostgreSQL goes on in another worker: `make test-projects`."""

import datetime as dt
from pathlib import Path

import pytest

from tests.chaos.deployment import LocalDeployment
from tests.projects.project_folders import ExpectedRun
from tests.projects.project_server import (
    ENDS,
    RUN_SECONDS,
    STORE,
    TEST_SECONDS,
    OutcomeTable,
    build_project,
    start_run,
    wait_for,
)
from tests.projects.two_tasks import FIRST, RULES, SECOND, list_files
from tests.support.metrics_page import MetricsPage
from tests.support.scripted_provider import ProviderProcess
from tests.support.server_process import ApiClient

WORKERS = ("worker-1", "worker-2")

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def find_busy_worker(deployment: LocalDeployment) -> str:
    """Return the worker that executes the only run."""

    def count_runs(worker: str) -> float:
        with deployment.client(worker) as client:
            return MetricsPage(client.http.get("/metrics").text)("active_runs")

    [busy] = [worker for worker in WORKERS if count_runs(worker) == 1]
    return busy


def test_killed_worker(tmp_path: Path, provider: ProviderProcess, outcomes: OutcomeTable) -> None:
    (tmp_path / "data").mkdir()
    STORE.mkdir(parents=True, exist_ok=True)
    (tmp_path / "data" / "projects").symlink_to(STORE)
    expected, outcome = ExpectedRun(date=dt.date(2025, 4, 15)), outcomes.add("(two workers)")
    # No crew runs here: hosts for crews would only delay the start, each with an import of CrewAI.
    settings = {"LEASE_SECONDS": "5", "ALLOW_PRIVATE_HOSTS": "true", "CREW_HOSTS": "0"}
    with (
        LocalDeployment(tmp_path, replicas=1, **settings) as deployment,
        ApiClient(deployment.urls[0]) as client,
    ):
        client.register_provider(provider.base_url)
        project = build_project(client, list_files("0.114.0"), expected, outcome)
        provider.reset()
        provider.script(RULES)
        outcome.resumed = False
        run_id = start_run(client, project, expected)
        provider.wait_for_requests(2, timeout=RUN_SECONDS)

        deployment.kill(find_busy_worker(deployment))
        provider.release("second")
        run = wait_for(client, f"/api/v1/runs/{run_id}", "run", ENDS, RUN_SECONDS)

        types = [event["type"] for event in client.events(run_id)]
    texts = [request.text for request in provider.requests]
    assert (run["status"], run["error"]) == ("completed", None)
    assert [sum(part in text for text in texts) for part in (FIRST, SECOND)] == [1, 2]
    assert types.count("task.reused") == 1
    assert run["result"]["raw"] == "Five boxes"
    outcome.completed = outcome.resumed = True
