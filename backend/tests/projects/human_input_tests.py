"""Questions and reviews of a project with several versions of CrewAI: `make test-projects`."""

import datetime as dt
from typing import Any

import pytest

from tests.projects.project_folders import ExpectedRun
from tests.projects.project_server import (
    ENDS,
    RUN_SECONDS,
    TEST_SECONDS,
    OutcomeTable,
    build_project,
    start_run,
    wait_for,
)
from tests.projects.two_tasks import FINAL
from tests.support.scripted_provider import ProviderProcess, Rule, Say
from tests.support.server_process import ApiClient

VERSIONS = {
    "0.70.1": dt.date(2024, 12, 10),
    "0.108.0": dt.date(2025, 3, 25),
    "1.9.3": dt.date(2026, 2, 15),
}
MAIN = b"""
from crewai import Agent, Crew, Task


def run():
    shop = input("Which shop? ")
    clerk = Agent(role="Clerk", goal="Work", backstory="You are careful.")
    task = Task(description=f"Describe {shop}", expected_output="A line", agent=clerk, human_input=True)
    return Crew(agents=[clerk], tasks=[task]).kickoff()
"""
RULES = (
    Rule(Say(f"{FINAL}A bakery"), contains="Make it shorter"),
    Rule(Say(f"{FINAL}The large bakery"), contains="Describe the bakery"),
)

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def resolve_next(client: ApiClient, run_id: str, **answer: str) -> dict[str, Any]:
    """Wait until a run asks, resolve that, and return what it asked."""
    path = f"/api/v1/runs/{run_id}"
    run = wait_for(client, path, "run", {*ENDS, "waiting"}, RUN_SECONDS)
    assert run["status"] == "waiting", run["error"]
    [asked] = client.get("/api/v1/approvals", status="open", runId=run_id)["approvals"]
    client.post(f"/api/v1/approvals/{asked['id']}/resolve", answer)
    wait_for(client, path, "run", {*ENDS, "queued", "running"}, RUN_SECONDS)
    found: dict[str, Any] = asked
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_person_answers_and_reviews(
    version: str, client: ApiClient, provider: ProviderProcess, outcomes: OutcomeTable
) -> None:
    expected = ExpectedRun(date=VERSIONS[version])
    files = {"requirements.txt": f"crewai=={version}\n".encode(), "main.py": MAIN}
    outcome = outcomes.add("(human input)")
    project = build_project(client, files, expected, outcome)
    provider.reset()
    provider.script(RULES)
    outcome.has_called_model = outcome.completed = False
    run_id = start_run(client, project, expected)

    asked = [
        resolve_next(client, run_id, action="answer", answer="the bakery"),
        resolve_next(client, run_id, action="revise", feedback="Make it shorter"),
    ]
    if version != "0.70.1":  # it asks for one review only
        asked.append(resolve_next(client, run_id, action="approve"))
    run = wait_for(client, f"/api/v1/runs/{run_id}", "run", ENDS, RUN_SECONDS)

    outcome.has_called_model, outcome.completed = bool(provider.requests), run["status"] == "completed"
    assert (run["status"], run["error"]) == ("completed", None)
    assert run["result"]["raw"] == "A bakery"
    assert [one["prompt"] for one in asked] == ["Which shop? ", "", ""][: len(asked)]
    assert [one["output"] for one in asked] == ["", "The large bakery", "A bakery"][: len(asked)]
