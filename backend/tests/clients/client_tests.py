"""Stock clients of CrewAI AMP, unchanged, against a running server: workflows, traces and lists."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.programs import (
    AUTOMATION_TOOL,
    SEMANTIC_KERNEL,
    TRACED_CREW,
    run_client,
    start_command,
    wait_for_output,
)
from tests.support.scripted_provider import Hold, Say, ScriptedProvider
from tests.support.server_process import API_KEY, ApiClient, ServerProcess

DOCUMENT = """\
name: Tea report
agents:
  writer: {role: Writer, goal: Write, backstory: Clear.}
tasks:
  report: {description: "Write about {topic}", expected_output: A report, agent: writer}
inputs:
  topic: {type: string}
"""


@pytest.fixture(scope="session")
def url(server: ServerProcess) -> str:
    with server.client() as client:
        saved = client.post("/api/workflows", {"workflow": {"yaml": DOCUMENT}})
    return f"{server.url}/amp/{saved['workflow']['slug']}"


class TestRunApi:
    def test_automation_tool_of_crewai(self, python: Path, url: str, tmp_path: Path) -> None:
        output = run_client(python, tmp_path, AUTOMATION_TOOL, url, API_KEY)

        assert "RESULT A report about tea." in output

    def test_semantic_kernel(self, python: Path, url: str, tmp_path: Path) -> None:
        output = run_client(python, tmp_path, SEMANTIC_KERNEL, url, API_KEY)

        assert "RESULT A report about tea." in output
        assert "STATE" in output


class TestTraces:
    def test_kickoff_elsewhere_appears_while_it_runs(
        self, python: Path, server: ServerProcess, tmp_path: Path
    ) -> None:
        variables = {
            "CREWAI_PLUS_URL": server.url,
            "CREWAI_USER_PAT": API_KEY,
            "CREWAI_TRACING_ENABLED": "true",
        }
        with ScriptedProvider() as provider, server.client() as client:
            provider.on(Hold("second task", Say("A report about tea.")), last_contains="Write on")
            provider.on(Say("Facts about tea."))
            command = [str(python), "-c", TRACED_CREW, provider.base_url]
            with start_command(tmp_path, command, variables) as process:
                run_id = wait_for_run_elsewhere(client)
                client.wait_for_event(run_id, "task.completed")
                live, is_running = client.run(run_id), process.poll() is None
                provider.release("second task")
                output = wait_for_output(process)
            run = client.wait_for_state(run_id, "completed")
            events = client.events(run_id)

        assert (live["status"], live["usage"]["llmCalls"], is_running) == ("running", 1, True)
        assert "RESULT A report about tea." in output
        assert run["workflowName"] == "Traced crew"
        assert (run["inputs"], run["result"]["raw"]) == ({"topic": "tea"}, "A report about tea.")
        assert run["usage"]["llmCalls"] == 2
        assert None not in {event["taskKey"] for event in events if event["type"].startswith("llm.")}

    @pytest.mark.parametrize(
        ("command", "expected"), [("org", "CrewAI Runner"), ("triggers", "No triggers found")]
    )
    def test_command_line(self, crewai: Callable[..., str], command: str, expected: str) -> None:
        assert expected in crewai(command, "list")


def wait_for_run_elsewhere(client: ApiClient) -> str:
    """Wait for the first grant; return the run that it has created."""
    deadline = time.monotonic() + 60
    while not (found := [run["id"] for run in client.get("/api/runs")["runs"] if run["external"]]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return str(found[0])
