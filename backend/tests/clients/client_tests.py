"""Stock clients of CrewAI AMP, unchanged, against a running server."""

import os
import subprocess
from collections.abc import Mapping
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
    def test_command_line(
        self, python: Path, server: ServerProcess, tmp_path: Path, command: str, expected: str
    ) -> None:
        run_client(python, tmp_path, SAVE_LOGIN, API_KEY)
        variables = {"CREWAI_PLUS_URL": server.url}

        output = run_command(tmp_path, [str(python.with_name("crewai")), command, "list"], variables)

        assert expected in output
