"""Who did something is shown by name, whoever it was."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from crewai_runner.core.roles import SERVER_KEY
from crewai_runner.db.session import unit_of_work
from crewai_runner.features.people.service import PeopleAdministration
from crewai_runner.wiring.container import Container
from tests.support.harness import RunHarness, request_approval
from tests.support.teams import SERVER_KEY as KEY
from tests.support.teams import Team

ANN = "ann@example.org"
DOCUMENT = """\
name: Named
agents:
  writer: {role: W, goal: G, backstory: B}
tasks:
  draft: {description: D, expected_output: E, agent: writer}
"""


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


async def start(team: Team, token: str) -> str:
    return str((await team.post("/runs", {"workflow": DOCUMENT}, token)).json()["runId"])


async def read_names(team: Team) -> dict[str, str]:
    """The names of those who started the runs, by run; the list and the run itself show the same."""
    runs = (await team.get("/runs")).json()["runs"]
    for run in runs:
        one = (await team.get(f"/runs/{run['id']}")).json()["run"]
        assert one["createdByName"] == run["createdByName"]
    return {run["id"]: run["createdByName"] for run in runs}


class TestRuns:
    async def test_show_persons_their_keys_and_keys_of_the_workspace(self, team: Team) -> None:
        async with team.signed_in(ANN, "editor") as ann:
            own = (await ann.post("/me/api-keys", json={"name": "laptop", "role": "editor"})).json()["token"]
            by_ann = str((await ann.post("/runs", json={"workflow": DOCUMENT})).json()["runId"])
        started = {
            by_ann: "Ann",
            await start(team, own): "Ann (laptop)",
            await start(team, await team.create_key(role="editor")): "a program",
            await start(team, KEY): "Server key",
        }

        assert await read_names(team) == started

    async def test_of_someone_removed_show_a_pseudonym_that_stays(
        self, team: Team, container: Container
    ) -> None:
        async with team.signed_in(ANN, "editor") as ann:
            own = (await ann.post("/me/api-keys", json={"name": "Ann's", "role": "editor"})).json()["token"]
            by_ann = str((await ann.post("/runs", json={"workflow": DOCUMENT})).json()["runId"])
            person_id = (await ann.get("/me")).json()["personId"]
        by_key = await start(team, own)
        await team.create_person("bob@example.org", "owner")

        await team.delete(f"/people/{person_id}")
        assert await read_names(team) == {by_ann: "Ann", by_key: "Ann (Ann's)"}

        async with unit_of_work(container.sessions) as session:
            people = PeopleAdministration(session)
            person = await people.find(ANN)
            assert person is not None
            name = await people.remove(person)

        assert await read_names(team) == {by_ann: name, by_key: f"{name} (API key)"}
        assert "Ann" not in name

    async def test_names_cost_no_query_per_row(self, team: Team, container: Container) -> None:
        token = await team.create_key(role="editor")
        for _ in range(2):
            await start(team, token)
        counts = []
        for _ in range(2):
            counts.append(await count_reads(container, team))
            await start(team, token)

        assert counts[0] == counts[1]


async def count_reads(container: Container, team: Team) -> int:
    """The statements of one page of runs."""
    statements: list[str] = []

    def add(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        statements.append(sql)

    event.listen(container.reader.engine, "before_cursor_execute", add)
    await team.get("/runs")
    event.remove(container.reader.engine, "before_cursor_execute", add)
    return len(statements)


async def test_versions_messages_approvals_and_keys_show_names(team: Team, harness: RunHarness) -> None:
    run_id, approval_id = await request_approval(harness)
    async with team.signed_in(ANN, "owner") as ann:
        saved = (await ann.post("/workflows", json={"workflow": {"yaml": DOCUMENT}})).json()["workflow"]
        versions = (await ann.get(f"/workflows/{saved['id']}/versions")).json()["versions"]
        key = (await ann.post("/api-keys", json={"name": "k", "role": "viewer"})).json()["apiKey"]
        invited = await ann.post("/invitations", json={"email": "bob@example.org", "role": "viewer"})
        sent = await ann.post(f"/runs/{run_id}/messages", json={"text": "Shorter."})
        [message] = (await ann.get(f"/runs/{run_id}/messages")).json()["messages"]
        listed = (await ann.get("/approvals")).json()["approvals"][0]
        approval = (await ann.get(f"/approvals/{approval_id}")).json()["approval"]

    shown = [saved, *versions, key, invited.json()["invitation"], sent.json()["message"], message]
    assert {each["createdByName"] for each in shown} == {"Ann"}
    assert {each["resolvedByName"] for each in (listed, approval)} == {"Ann"}


class TestShared:
    async def test_a_workspace_is_shared_once_someone_or_a_key_is_in_it(self, team: Team) -> None:
        assert (await team.get("/me")).json()["isShared"] is False

        await team.create_key(role="viewer")

        assert (await team.get("/me")).json()["isShared"] is True

    async def test_alone_nothing_is_looked_up(self, team: Team) -> None:
        saved = (await team.post("/workflows", {"workflow": {"yaml": DOCUMENT}})).json()["workflow"]

        assert (saved["createdBy"], saved["createdByName"]) == (SERVER_KEY, "Server key")
