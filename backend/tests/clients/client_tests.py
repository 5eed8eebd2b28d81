"""Stock clients of CrewAI AMP, unchanged, against a running server."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import API_KEY, ServerProcess

DOCUMENT = """\
name: Tea report
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  report: {description: "Write about {topic}", expected_output: A report, agent: writer}
inputs:
  topic: {type: string}
"""
AUTOMATION_TOOL = """\
import sys
from pydantic import Field
from crewai_tools import InvokeCrewAIAutomationTool

url, token = sys.argv[1:]
tool = InvokeCrewAIAutomationTool(
    crew_api_url=url, crew_bearer_token=token, crew_name="Tea", crew_description="Reports on a topic",
    crew_inputs={"topic": Field(..., description="The topic")}, max_polling_time=60,
)
print("RESULT", tool.run(topic="tea"))
"""
SEMANTIC_KERNEL = """\
import asyncio, sys
import aiohttp
from semantic_kernel.core_plugins.crew_ai import CrewAIEnterprise

async def main(url, token):
    async with aiohttp.ClientSession() as session:
        crew = CrewAIEnterprise(endpoint=url, auth_token=token, session=session)
        crew.client.session = session  # its constructor ignores the session that it is given
        kickoff_id = await crew.kickoff(inputs={"topic": "tea"})
        status = await crew.get_crew_kickoff_status(kickoff_id)
        print("STATE", status.state.value)
        print("RESULT", await crew.wait_for_crew_completion(kickoff_id))

asyncio.run(main(*sys.argv[1:]))
"""

TRACED_CREW = """\
import sys
from crewai import Agent, Crew, LLM, Task

agent = Agent(
    role="Researcher", goal="Find facts", backstory="Careful.",
    llm=LLM(model="openai/test-model", base_url=sys.argv[1], api_key="sk-unused"),
)
task = Task(name="research", description="Find {topic}", expected_output="Facts", agent=agent)
print("RESULT", Crew(name="Traced crew", agents=[agent], tasks=[task]).kickoff(inputs={"topic": "tea"}).raw)
"""
SAVE_LOGIN = """\
import sys, time
from crewai_core.token_manager import TokenManager

TokenManager().save_tokens(sys.argv[1], int(time.time()) + 3600)
"""
"""`crewai login` saves the token that a browser returns; the API key takes its place."""

# Its lock has no packages, so that the build takes seconds. The crew, which never starts, makes it a project.
PROJECT: Mapping[str, str] = {
    "pyproject.toml": """\
[project]
name = "tea-brief"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = ["crewai==1.15.30"]

[tool.crewai]
type = "crew"
""",
    "uv.lock": """\
version = 1
requires-python = ">=3.12"

[[package]]
name = "tea-brief"
version = "0.1.0"
source = { virtual = "." }
""",
    "main.py": """\
import os


def run():
    print("A brief about", os.environ["TOPIC"], os.environ.get("LD_PRELOAD"))
    if "TOKEN" not in os.environ:
        from crewai import Crew

        Crew(agents=[], tasks=[]).kickoff()


if __name__ == "__main__":
    run()
""",
    ".env": "TOPIC=oolong\nTOKEN=value-of-a-token-0123456789\nLD_PRELOAD=/tmp/trap.so\n",
}


@pytest.fixture(scope="session")
def url(server: ServerProcess) -> str:
    with server.client() as client:
        saved = client.post("/api/workflows", {"workflow": {"yaml": DOCUMENT}})
    return f"{server.url}/amp/{saved['workflow']['slug']}"


def run_client(python: Path, folder: Path, script: str, *arguments: str, **variables: str) -> str:
    return run_command(folder, [str(python), "-c", script, *arguments], variables)


def run_command(folder: Path, command: list[str], variables: Mapping[str, str]) -> str:
    environment = os.environ | {"HOME": str(folder), "CREWAI_DISABLE_TELEMETRY": "true"} | variables
    finished = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return finished.stdout


class TestRunApi:
    def test_automation_tool_of_crewai(self, python: Path, url: str, tmp_path: Path) -> None:
        output = run_client(python, tmp_path, AUTOMATION_TOOL, url, API_KEY)

        assert "RESULT A report about tea." in output

    def test_semantic_kernel(self, python: Path, url: str, tmp_path: Path) -> None:
        output = run_client(python, tmp_path, SEMANTIC_KERNEL, url, API_KEY)

        assert "RESULT A report about tea." in output
        assert "STATE" in output


class TestTraces:
    def test_kickoff_elsewhere_appears_as_a_run(
        self, python: Path, server: ServerProcess, provider: ScriptedProvider, tmp_path: Path
    ) -> None:
        variables = {
            "CREWAI_PLUS_URL": server.url,
            "CREWAI_USER_PAT": API_KEY,
            "CREWAI_TRACING_ENABLED": "true",
        }

        output = run_client(python, tmp_path, TRACED_CREW, provider.base_url, **variables)

        assert "RESULT A report about tea." in output
        with server.client() as client:
            [summary] = [run for run in client.get("/api/runs")["runs"] if run["external"]]
            run, events = client.run(summary["id"]), client.events(summary["id"])
        assert (run["status"], run["workflowName"]) == ("completed", "Traced crew")
        assert (run["inputs"], run["result"]["raw"]) == ({"topic": "tea"}, "A report about tea.")
        assert run["usage"]["llmCalls"] == 1
        assert {event["taskKey"] for event in events if event["type"].startswith("llm.")} != {None}

    @pytest.mark.parametrize(
        ("command", "expected"), [("org", "CrewAI Runner"), ("triggers", "No triggers found")]
    )
    def test_command_line(self, crewai: Callable[..., str], command: str, expected: str) -> None:
        assert expected in crewai(command, "list")


@pytest.fixture
def crewai(python: Path, server: ServerProcess, tmp_path: Path) -> Callable[..., str]:
    """Runs the command line with a saved login in a folder; returns its output."""
    run_client(python, tmp_path, SAVE_LOGIN, API_KEY)

    def run(*arguments: str) -> str:
        command = [str(python), "-m", "crewai_cli.cli", *arguments]
        return run_command(tmp_path, command, {"CREWAI_PLUS_URL": server.url, "COLUMNS": "200"})

    return run


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
        self.wait_for_build(server, uuid)
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
        self.wait_for_build(server, uuid)
        with server.client() as client:
            assert client.get("/amp/tea-brief/inputs") == {"inputs": []}
        assert "removed successfully" in crewai("deploy", "remove")
        assert "proj_" not in crewai("deploy", "list")

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

    @staticmethod
    def wait_for_build(server: ServerProcess, uuid: str) -> None:
        deadline = time.monotonic() + 120
        with server.client() as client:
            while (build := client.get(f"/api/projects/{uuid}")["project"])["status"] != "ready":
                assert build["status"] != "failed", build["version"]["build"]
                assert time.monotonic() < deadline
                time.sleep(0.2)
