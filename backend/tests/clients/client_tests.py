"""Stock clients of CrewAI AMP, unchanged, against a running server."""

import os
import subprocess
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def url(server: ServerProcess) -> str:
    with server.client() as client:
        saved = client.post("/api/workflows", {"workflow": {"yaml": DOCUMENT}})
    return f"{server.url}/amp/{saved['workflow']['slug']}"


def run_client(python: Path, folder: Path, script: str, *arguments: str) -> str:
    environment = os.environ | {"HOME": str(folder), "CREWAI_DISABLE_TELEMETRY": "true"}
    finished = subprocess.run(
        [python, "-c", script, *arguments],
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
