"""A server that builds and runs the projects of this folder, and the table of what they did.

The server is a separate process with the event loop and the rights of files that it has in production.
Environments and uv's cache stay in the user's cache folder: only the first run downloads packages.
"""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.projects.project_folders import ExpectedRun, zip_files
from tests.support.scripted_provider import ProviderProcess
from tests.support.server_process import ApiClient, ServerProcess

STORE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crewai-runner-tests" / "projects"
BUILD_SECONDS, RUN_SECONDS = 900.0, 240.0
TEST_SECONDS = BUILD_SECONDS + RUN_SECONDS + 60
ENDS = {"completed", "failed", "stopped", "crashed"}
Json = dict[str, Any]


@dataclass
class ProjectOutcome:
    """What happened to a project; None where the test did not ask."""

    project: str
    crewai: str = "?"
    build_seconds: float | None = None
    has_called_model: bool | None = None
    completed: bool | None = None
    stopped: bool | None = None
    resumed: bool | None = None
    note: str = ""


@dataclass
class OutcomeTable:
    """One line for each project, and the totals of each column."""

    outcomes: list[ProjectOutcome] = field(default_factory=list)

    def add(self, project: str) -> ProjectOutcome:
        self.outcomes.append(ProjectOutcome(project))
        return self.outcomes[-1]

    def format(self) -> str:
        """Return the table; empty without outcomes."""
        if not self.outcomes:
            return ""
        head = ("project", "crewai", "build s", "first call", "completed", "stopped", "resumed", "")
        rows = [head, *(_as_cells(one) for one in self.outcomes), self._totals()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        )
        return "\n".join(("", *(line.rstrip() for line in lines)))

    def _totals(self) -> tuple[str, ...]:
        values = [
            [one.has_called_model for one in self.outcomes],
            [one.completed for one in self.outcomes],
            [one.stopped for one in self.outcomes],
            [one.resumed for one in self.outcomes],
        ]
        counts = (
            f"{sum(map(bool, column))} of {sum(one is not None for one in column)}" for column in values
        )
        versions = len({one.crewai for one in self.outcomes})
        return ("total", f"{versions} versions", "", *counts, "")


def _as_cells(one: ProjectOutcome) -> tuple[str, ...]:
    marks = {None: "-", True: "yes", False: "no"}
    built = "-" if one.build_seconds is None else f"{one.build_seconds:.1f}"
    return (one.project, one.crewai, built, *(marks[flag] for flag in _flags(one)), one.note)


def _flags(one: ProjectOutcome) -> tuple[bool | None, ...]:
    return one.has_called_model, one.completed, one.stopped, one.resumed


def create_server(folder: Path) -> ServerProcess:
    """Return a server that is not started, with data in a folder and environments in the store."""
    data_dir = folder / "data"
    data_dir.mkdir(parents=True)
    STORE.mkdir(parents=True, exist_ok=True)
    (data_dir / "projects").symlink_to(STORE)
    return ServerProcess(data_dir)


def build_project(
    client: ApiClient, files: dict[str, bytes], expected: ExpectedRun, out: ProjectOutcome
) -> Json:
    """Upload a project and wait for its build; return the project."""
    own = {".env": expected.environment_file.encode()} if expected.environment_file else {}
    body = zip_files({**files, **own}, expected.date)
    response = client.http.post("/api/v1/projects", content=body, headers={"Content-Type": "application/zip"})
    assert response.status_code == httpx.codes.CREATED, response.text
    project: Json = response.json()["project"]
    path = f"/api/v1/projects/{project['id']}/versions/1/build"
    started, out.note = time.monotonic(), "not built"
    build = wait_for(client, path, "build", {"ready", "failed"}, BUILD_SECONDS)
    out.build_seconds = time.monotonic() - started
    log = client.get(f"{path}/log")["text"]
    assert build["status"] == "ready", f"{build['error']}\n{log[-3000:]}"
    manifest = json.loads((STORE / "environments" / build["lockHash"] / "environment.json").read_text())
    out.crewai, out.note = manifest["crewai_version"], ""
    for name, value in expected.secrets.items():
        secret = client.http.put(f"/api/v1/projects/{project['id']}/secrets/{name}", json={"value": value})
        assert secret.is_success, secret.text
    return project


def start_run(client: ApiClient, project: Json, expected: ExpectedRun) -> str:
    """Start a run; return its id. A required input that nothing gives is "tea"."""
    required = {one["name"]: "tea" for one in project["version"]["inspection"]["inputs"] if one["required"]}
    body = {"projectId": project["id"], "inputs": {**required, **expected.inputs}}
    return str(client.post("/api/v1/runs", body)["runId"])


def finish_run(client: ApiClient, run_id: str, answers: list[str]) -> Json:
    """Wait for the end of a run and answer what it asks; return it."""
    path = f"/api/v1/runs/{run_id}"
    for answer in answers:
        run = wait_for(client, path, "run", {*ENDS, "waiting"}, RUN_SECONDS)
        if run["status"] != "waiting":
            return run
        [open_one] = client.get("/api/v1/approvals", status="open", runId=run_id)["approvals"]
        client.post(f"/api/v1/approvals/{open_one['id']}/resolve", {"action": "answer", "answer": answer})
        wait_for(client, path, "run", {*ENDS, "waiting", "running", "queued"} - {run["status"]}, RUN_SECONDS)
    return wait_for(client, path, "run", ENDS, RUN_SECONDS)


def wait_for(client: ApiClient, path: str, key: str, states: set[str], seconds: float) -> Json:
    """Return the object at `key` of the answer once its status is one of `states`."""
    deadline = time.monotonic() + seconds
    while True:
        found: Json = client.get(path)[key]
        if found["status"] in states:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def read_log(client: ApiClient, run_id: str) -> str:
    """Return the output of a run's process."""
    events = client.events(run_id)
    return "\n".join(str(one["data"].get("text", "")) for one in events if one["type"] == "log.line")


def check_project(
    client: ApiClient,
    provider: ProviderProcess,
    files: dict[str, bytes],
    expected: ExpectedRun,
    out: ProjectOutcome,
) -> None:
    """Build and run a project, and compare what happens with what is expected."""
    project = build_project(client, files, expected, out)
    provider.reset()
    provider.script(expected.rules)
    out.has_called_model = out.completed = False
    run_id = start_run(client, project, expected)
    run = finish_run(client, run_id, expected.answers)
    requests = provider.requests
    out.has_called_model, out.completed = bool(requests), run["status"] == "completed"
    message = (run["error"] or {}).get("message", "")
    out.note = message[:100]
    log = read_log(client, run_id)[-4000:]
    assert run["status"] == expected.status, f"{message}\n{log}"
    assert expected.error in message
    assert len(requests) >= expected.model_calls, log
    assert any(expected.prompt in request.text for request in requests) or not expected.prompt, log
    assert expected.result in str(run["result"]), log
    artifacts = client.get(f"/api/v1/runs/{run_id}/artifacts")["artifacts"]
    assert set(expected.files) <= {one["name"] for one in artifacts}
