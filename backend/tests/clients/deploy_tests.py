"""Stock `crewai deploy`, and runs of what it has deployed by the stock clients of AMP."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.clients.programs import AUTOMATION_TOOL, SEMANTIC_KERNEL, run_client
from tests.support.projects import make_buildable
from tests.support.server_process import API_KEY, ApiClient, ServerProcess
from tests.support.webhook_receiver import WebhookReceiver

MAIN = """\
import os


def run():
    print("A brief about", os.environ["TOPIC"], os.environ.get("LD_PRELOAD"))
    if "TOKEN" not in os.environ:
        from crewai import Crew

        Crew(agents=[], tasks=[]).kickoff()


if __name__ == "__main__":
    run()
"""
PROJECT: Mapping[str, str] = make_buildable("tea-brief", MAIN) | {
    ".env": "TOPIC=oolong\nTOKEN=value-of-a-token-0123456789\nLD_PRELOAD=/tmp/trap.so\n",
}


# A secret of the project decides whether a person reviews the first task.
CREW: Mapping[str, str] = {
    "pyproject.toml": PROJECT["pyproject.toml"].replace("tea-brief", "tea-crew"),
    "main.py": """\
import os

from crewai import Agent, Crew, Task


def run():
    agent = Agent(role="Writer", goal="Write", backstory="Clear.")
    is_reviewed = os.environ.get("REVIEW") == "yes"
    tasks = [
        Task(name="research", description="Find {topic}", expected_output="Facts", agent=agent,
             human_input=is_reviewed),
        Task(name="report", description="Write about {topic}", expected_output="A report", agent=agent),
    ]
    return Crew(name="Tea", agents=[agent], tasks=tasks).kickoff(inputs={"topic": "tea"}).raw


if __name__ == "__main__":
    run()
""",
}
BUILD_SECONDS = 600


class TestDeploy:
    def test_project_is_deployed_and_removed(
        self, crewai: Callable[..., str], server: ServerProcess, tmp_path: Path
    ) -> None:
        for path, content in PROJECT.items():
            (tmp_path / path).write_text(content)

        created = crewai("deploy", "create", "--yes", "--skip-validate")

        assert "Deployment created successfully!" in created
        assert "Deploy Enqueued" in created
        [uuid] = re.findall(r"Name: tea-brief \((proj_\w+)\)", created)
        wait_for_build(server, uuid)
        assert f"- tea-brief ({uuid}) Crew is Online" in crewai("deploy", "list")
        assert "Crew is Online" in crewai("deploy", "status")
        assert "LD_PRELOAD" in crewai("deploy", "logs", "--uuid", uuid)
        with server.client() as client:
            project = client.get(f"/api/projects/{uuid}")["project"]
        assert project["secretNames"] == ["TOKEN", "TOPIC"]

        (tmp_path / "main.py").write_text(PROJECT["main.py"].replace("A brief", "A new brief"))
        pushed = crewai("deploy", "push", "--skip-validate")

        assert f"Uuid: {uuid}" in pushed
        assert "Version: 2" in pushed
        wait_for_build(server, uuid)
        with server.client() as client:
            assert client.get("/amp/tea-brief/inputs") == {"inputs": []}
            kickoff_id = client.post("/amp/tea-brief/kickoff", {"inputs": {}})["kickoff_id"]
            client.wait_for_state(kickoff_id, "completed")
            events = client.events(kickoff_id)
        printed = [event["data"]["text"] for event in events if event["type"] == "log.line"]
        assert any("A new brief about oolong None" in line for line in printed)  # too short to be masked
        assert "removed successfully" in crewai("deploy", "remove")
        assert uuid not in crewai("deploy", "list")

    def test_refusals_are_printed(self, crewai: Callable[..., str], tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text(PROJECT["pyproject.toml"])
        (tmp_path / "uv.lock").write_text(PROJECT["uv.lock"])
        subprocess.run(["git", "init", "-q", tmp_path], check=True)
        remote = ["git", "-C", str(tmp_path), "remote", "add", "origin", "/nowhere"]
        subprocess.run(remote, check=True)

        from_repository = crewai("deploy", "create", "--yes", "--skip-validate")

        assert "does not read git repositories" in from_repository
        assert "does not exist" in crewai("deploy", "status", "--uuid", "proj_unknown")
        assert "does not exist" in crewai("deploy", "remove", "--uuid", "proj_unknown")


@pytest.fixture(scope="module")
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as opened:
        yield opened


class TestDeployedCrew:
    @pytest.mark.timeout(BUILD_SECONDS + 600)
    def test_is_run_by_the_clients_of_amp(
        self,
        crewai: Callable[..., str],
        python: Path,
        server: ServerProcess,
        receiver: WebhookReceiver,
        tmp_path: Path,
    ) -> None:
        for path, content in CREW.items():
            (tmp_path / path).write_text(content)
        created = crewai("deploy", "create", "--yes", "--skip-validate")
        [uuid] = re.findall(r"Name: tea-crew \((proj_\w+)\)", created)
        wait_for_build(server, uuid)
        url = f"{server.url}/amp/tea-crew"

        by_tool = run_client(python, tmp_path, AUTOMATION_TOOL, url, API_KEY)
        by_kernel = run_client(python, tmp_path, SEMANTIC_KERNEL, url, API_KEY)
        with server.client() as client:
            client.http.put(f"/api/projects/{uuid}/secrets/REVIEW", json={"value": "yes"}).raise_for_status()
            self.run_with_review(client, receiver)

        assert "RESULT A report about tea." in by_tool
        assert "RESULT A report about tea." in by_kernel

    def run_with_review(self, client: ApiClient, receiver: WebhookReceiver) -> None:
        urls = {f"{kind}WebhookUrl": f"{receiver.url}/{kind}" for kind in ("task", "step", "crew")}
        body = {"inputs": {"topic": "tea"}, **urls}
        kickoff_id = client.post("/amp/tea-crew/kickoff", body)["kickoff_id"]
        client.wait_for_state(kickoff_id, "waiting")
        status = client.get(f"/amp/tea-crew/status/{kickoff_id}")
        assert status["status"] == "awaiting_human_feedback"

        feedback = {"execution_id": kickoff_id, "task_id": status["current_task"], "is_approve": True}
        client.post("/amp/tea-crew/resume", feedback)
        client.wait_for_state(kickoff_id, "completed")
        end = time.monotonic() + 30
        while not receiver.on("/crew") and time.monotonic() < end:
            time.sleep(0.1)

        [crew] = receiver.on("/crew")
        assert (crew["kickoff_id"], crew["result"]) == (kickoff_id, "A report about tea.")
        assert [task["name"] for task in receiver.on("/task")] == ["research", "research", "report"]
        assert receiver.on("/task")[0]["status"] == "awaiting_human_feedback"
        assert {step["agent"] for step in receiver.on("/step")} == {"Writer"}


def wait_for_build(server: ServerProcess, uuid: str) -> None:
    deadline = time.monotonic() + BUILD_SECONDS
    with server.client() as client:
        while (build := client.get(f"/api/projects/{uuid}")["project"])["status"] != "ready":
            assert build["status"] != "failed", build["version"]["build"]
            assert time.monotonic() < deadline
            time.sleep(0.2)
