"""Programs that use the stock clients, and how they are run."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

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
research = Task(name="research", description="Find {topic}", expected_output="Facts", agent=agent)
report = Task(name="report", description="Write on {topic}", expected_output="A report", agent=agent)
crew = Crew(name="Traced crew", agents=[agent], tasks=[research, report])
print("RESULT", crew.kickoff(inputs={"topic": "tea"}).raw)
"""
SAVE_LOGIN = """\
import sys, time
from crewai_core.token_manager import TokenManager

TokenManager().save_tokens(sys.argv[1], int(time.time()) + 3600)
"""
"""`crewai login` saves the token that a browser returns; the API key takes its place."""


def run_client(python: Path, folder: Path, script: str, *arguments: str, **variables: str) -> str:
    return run_command(folder, [str(python), "-c", script, *arguments], variables)


def run_command(folder: Path, command: list[str], variables: Mapping[str, str]) -> str:
    """Run a command to its end; return what it prints."""
    with start_command(folder, command, variables) as process:
        return wait_for_output(process)


def start_command(folder: Path, command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
    environment = os.environ | {"HOME": str(folder), "CREWAI_DISABLE_TELEMETRY": "true"} | variables
    return subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_output(process: subprocess.Popen[str]) -> str:
    try:
        output, errors = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 0, errors[-3000:]
    return output
