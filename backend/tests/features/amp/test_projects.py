"""The run API of projects, and the slugs that they share with workflows."""

import asyncio
from typing import Any

import httpx
import pytest

from crewai_runner.db.tables.projects import ProjectVersionRow
from crewai_runner.domain.run import RunResult
from crewai_runner.executor.port import Completed
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from tests.features.amp.test_router import BASE, DOCUMENT
from tests.support.builders import completed, started
from tests.support.harness import RunHarness
from tests.support.principals import ANONYMOUS, AS_DOCUMENT_READER, AS_STRANGER
from tests.support.projects import FILES, zip_project

Json = dict[str, Any]
ZIP = {"Content-Type": "application/zip"}
CREW = """\
from crewai import Agent, Crew, Task

agent = Agent(role="Writer", goal="g", backstory="b")
crew = Crew(agents=[agent], tasks=[Task(description="About {topic}", expected_output="r", agent=agent)])


def run():
    crew.kickoff(inputs={"topic": "tea"})


if __name__ == "__main__":
    run()
"""
PROJECT = FILES | {"src/daily_brief/main.py": CREW}
SLUG = "daily-brief"


@pytest.fixture
async def project(client: httpx.AsyncClient) -> Json:
    response = await client.post("/projects", content=zip_project(PROJECT), headers=ZIP)
    created: Json = response.json()["project"]
    return created


async def set_state(harness: RunHarness, project: Json, number: int, state: str) -> None:
    async with harness.session() as session:
        version = await session.get(ProjectVersionRow, (project["id"], number))
        assert version is not None
        version.build_state = state


async def add_version(client: httpx.AsyncClient, project: Json) -> None:
    body = zip_project(PROJECT | {"more.py": "x = 1"})
    assert (await client.post(f"/projects/{project['id']}/versions", content=body, headers=ZIP)).is_success


async def save_workflow(client: httpx.AsyncClient, name: str) -> Json:
    draft = {"workflow": {"yaml": DOCUMENT.replace("Tea & Cake report", name)}}
    saved: Json = (await client.post("/workflows", json=draft)).json()["workflow"]
    return saved


class TestExecution:
    async def test_runs_the_newest_version_that_is_built(
        self, client: httpx.AsyncClient, harness: RunHarness, project: Json
    ) -> None:
        await set_state(harness, project, 1, "ready")
        await add_version(client, project)

        listed = await client.get(f"{BASE}/{SLUG}/inputs")
        answer = await client.post(
            f"{BASE}/{SLUG}/kickoff", json={"inputs": {"topic": "tea"}, "meta": {"requestId": "r-1"}}
        )

        assert listed.json() == {"inputs": ["topic"]}
        assert answer.status_code == 200, answer.text
        run_id = answer.json()["kickoff_id"]
        run = (await client.get(f"/runs/{run_id}")).json()["run"]
        assert (run["projectId"], run["projectVersion"], run["workflowId"]) == (project["id"], 1, None)
        assert (run["inputs"], run["metadata"]) == ({"topic": "tea"}, {"requestId": "r-1"})
        await self.check_status(client, harness, project, run_id)

    async def check_status(
        self, client: httpx.AsyncClient, harness: RunHarness, project: Json, run_id: str
    ) -> None:
        queued = (await client.get(f"{BASE}/{SLUG}/status/{run_id}")).json()
        harness.executor = ScriptedExecutor(
            Script(
                [started("write"), completed("write", "A brief.", "Writer")],
                Completed(RunResult(raw="A brief.")),
            )
        )

        await harness.execute(run_id, 1)

        done = (await client.get(f"{BASE}/{project['id']}/{run_id}/status")).json()
        assert (queued["state"], queued["progress"]["total_tasks"]) == ("PENDING", 0)
        assert (done["state"], done["result"]) == ("SUCCESS", "A brief.")

    @pytest.mark.parametrize(("state", "reason"), [("queued", "not started"), ("failed", "its build failed")])
    async def test_without_a_build_nothing_starts(
        self, client: httpx.AsyncClient, harness: RunHarness, project: Json, state: str, reason: str
    ) -> None:
        await set_state(harness, project, 1, state)

        refused = await client.post(f"{BASE}/{SLUG}/kickoff", json={"inputs": {"topic": "tea"}})

        assert refused.status_code == 409
        assert refused.json()["type"].endswith("/project-not-ready")
        assert reason in refused.json()["detail"]
        assert (await client.get(f"{BASE}/{SLUG}/inputs")).json() == {"inputs": ["topic"]}
        assert (await client.get("/runs")).json()["runs"] == []

    async def test_rights_and_workspaces(
        self, client: httpx.AsyncClient, harness: RunHarness, project: Json
    ) -> None:
        await set_state(harness, project, 1, "ready")
        for slug in (SLUG, project["id"]):
            for headers, status in ((ANONYMOUS, 401), (AS_DOCUMENT_READER, 403), (AS_STRANGER, 404)):
                inputs = await client.get(f"{BASE}/{slug}/inputs", headers=headers)
                kickoff = await client.post(f"{BASE}/{slug}/kickoff", json={}, headers=headers)

                assert (inputs.status_code, kickoff.status_code) == (status, status)

    async def test_run_of_another_automation_is_not_found(
        self, client: httpx.AsyncClient, harness: RunHarness, project: Json
    ) -> None:
        await set_state(harness, project, 1, "ready")
        workflow = await save_workflow(client, "Tea")
        started_runs = [
            (await client.post(f"{BASE}/{slug}/kickoff", json={"inputs": {"topic": "tea"}})).json()
            for slug in (SLUG, workflow["slug"])
        ]
        of_project, of_workflow = (answer["kickoff_id"] for answer in started_runs)

        for slug, run_id in ((SLUG, of_workflow), (workflow["slug"], of_project)):
            assert (await client.get(f"{BASE}/{slug}/status/{run_id}")).json()["state"] == "NOT FOUND"

    async def test_unknown_slug(self, client: httpx.AsyncClient) -> None:
        for slug in ("no-such", "proj_unknown", "wf_unknown", "%00"):
            response = await client.get(f"{BASE}/{slug}/inputs")

            assert response.status_code == 404, slug
            assert response.json()["type"].endswith("/automation-not-found")


class TestSlugs:
    async def test_are_shared_with_workflows(self, client: httpx.AsyncClient, project: Json) -> None:
        workflow = await save_workflow(client, "Daily Brief")
        second = (await client.post("/projects", content=zip_project(PROJECT), headers=ZIP)).json()["project"]

        assert [one["slug"] for one in (project, workflow, second)] == [SLUG, f"{SLUG}-2", f"{SLUG}-3"]
        assert (project["name"], second["name"]) == ("daily-brief", "daily-brief 2")

    async def test_workflow_does_not_change_the_name_of_a_project(self, client: httpx.AsyncClient) -> None:
        """`crewai deploy push` finds the project by its name."""
        await save_workflow(client, "Daily Brief")

        created = await client.post("/projects", content=zip_project(PROJECT), headers=ZIP)

        project = created.json()["project"]
        assert (project["name"], project["slug"]) == ("daily-brief", f"{SLUG}-2")

    async def test_of_concurrent_requests_differ(self, client: httpx.AsyncClient) -> None:
        uploads = [client.post("/projects", content=zip_project(PROJECT), headers=ZIP) for _ in range(3)]
        drafts = [save_workflow(client, name) for name in ("Daily Brief", "Daily, Brief", "DAILY BRIEF")]

        answers = await asyncio.gather(*uploads)
        workflows = await asyncio.gather(*drafts)
        mixed = await asyncio.gather(
            client.post("/projects", content=zip_project(PROJECT), headers=ZIP),
            save_workflow(client, "daily brief"),
        )

        projects = [answer.json()["project"] for answer in (*answers, mixed[0])]
        slugs = {one["slug"] for one in (*projects, *workflows, mixed[1])}
        assert slugs == {SLUG, *(f"{SLUG}-{number}" for number in range(2, 9))}
        assert len({one["name"] for one in projects}) == 4
