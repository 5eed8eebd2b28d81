"""Runs of projects survive a kill of the server: what is finished is not paid for again."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.project_runs import CALL_MODEL
from tests.support.projects import zip_project
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import ApiClient, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

ENGINE = """\
import importlib

TaskOutput = importlib.import_module("cre" + "wai.tasks.task_output").TaskOutput

class Task:
    output_pydantic = output_json = output_file = agent = None
    expected_output = "A text"

    def __init__(self, name, execute):
        self.id = self.name = name
        self.description, self.execute = f"Do {name}", execute

    def _get_output_format(self):
        return "raw"

    def _execute_core(self, agent, context, tools):
        return TaskOutput(raw=self.execute(self.description))
"""
OUTPUT = """\
class TaskOutput:
    def __init__(self, raw, **others):
        self.raw = raw
"""
FILES = {
    # In place of CrewAI, which takes a minute to install: the bridge patches this module like the real one.
    # No file says that it imports CrewAI, which would be installed then.
    "crewai/__init__.py": "",
    "crewai/task.py": ENGINE,
    "crewai/tasks/__init__.py": "",
    "crewai/tasks/task_output.py": OUTPUT,
    "pyproject.toml": '[project]\nname = "two-tasks"\nversion = "1"\nrequires-python = ">=3.10"\n',
    "main.py": CALL_MODEL
    + """
import importlib

def run():
    Task = importlib.import_module("cre" + "wai.task").Task
    outputs = [Task(name, ask)._execute_core(None, None, None).raw for name in ("research", "draft")]
    return [*outputs, input("Publish? ")]
""",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    product = ServerProcess(tmp_path / "data")
    yield product
    if product.is_running:
        product.stop()


def build(client: ApiClient) -> str:
    """Upload the project and wait for its build; return its id."""
    headers = {"Content-Type": "application/zip"}
    response = client.http.post("/api/v1/projects", content=zip_project(FILES), headers=headers)
    assert response.status_code == 201, response.text
    project_id = str(response.json()["project"]["id"])
    entry = {"kind": "script", "path": "main.py", "name": "run"}
    assert client.http.patch(f"/api/v1/projects/{project_id}", json={"entryPoint": entry}).is_success
    deadline = time.monotonic() + 120
    while True:
        found = client.get(f"/api/v1/projects/{project_id}/versions/1/build")["build"]
        if found["status"] == "ready":
            return project_id
        assert found["status"] != "failed", found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def count_calls(provider: ScriptedProvider) -> tuple[int, int]:
    texts = [request.last_message for request in provider.requests]
    return texts.count("Do research"), texts.count("Do draft")


def test_a_killed_server_resumes_a_project(server: ServerProcess) -> None:
    """Killed during the second task, and again while the run waits for an answer."""
    with ScriptedProvider() as provider:
        provider.on(Say("Facts"), last_contains="research")
        provider.on(Hold("draft", Say("Text")), last_contains="draft")
        with server.start().client() as client:
            client.register_provider(provider.base_url)
            run_id = str(client.post("/api/v1/runs", {"projectId": build(client)})["runId"])
            provider.wait_for_requests(2, timeout=60)
        server.kill()
        provider.release("draft")

        with server.start().client() as client:
            client.wait_for_state(run_id, "waiting")
        server.kill()

        with server.start().client() as client:
            [approval] = client.get("/api/v1/approvals", status="open")["approvals"]
            client.post(f"/api/v1/approvals/{approval['id']}/resolve", {"action": "answer", "answer": "yes"})
            run = client.wait_for_state(run_id, "completed")
            events: list[dict[str, Any]] = client.events(run_id)

        assert approval["prompt"] == "Publish? "
        assert run["result"]["jsonOutput"] == ["Facts", "Text", "yes"]
        # The call in progress at the kill is made again, and only that.
        assert count_calls(provider) == (1, 2)
        ends = ("task.completed", "task.reused")
        assert [(event["type"], event["taskKey"]) for event in events if event["type"] in ends] == [
            ("task.completed", "research"),
            ("task.reused", "research"),
            ("task.completed", "draft"),
            ("task.reused", "research"),
            ("task.reused", "draft"),
        ]
        warnings = {event["data"]["code"] for event in events if event["type"] == "warning.raised"}
        assert "project-restarted" not in warnings
