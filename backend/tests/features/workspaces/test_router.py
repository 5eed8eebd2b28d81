"""Workspaces: created by administrators, renamed by owners, each with the built-in model."""

import pytest
from fastapi import FastAPI

from crewai_runner.wiring.container import Container
from tests.support.teams import Team


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


async def test_a_person_who_creates_one_owns_it(team: Team) -> None:
    async with team.browser() as root:
        await team.create_person("root@example.org", "viewer", isAdministrator=True)
        await team.sign_in(root, "root@example.org")

        created = (await root.post("/workspaces", json={"name": "Lab"})).json()["workspace"]
        entered = await root.post("/me/workspace", json={"workspaceId": created["id"]})

        root.headers["X-CSRF-Token"] = entered.json()["csrfToken"]
        me = (await root.get("/me")).json()
        assert (me["workspace"]["name"], me["workspace"]["role"]) == ("Lab", "owner")
        assert (await root.get("/models")).json()["models"] == []


async def test_a_name_is_taken_in_any_case(team: Team) -> None:
    await team.post("/workspaces", {"name": "Lab"})

    taken = await team.post("/workspaces", {"name": "LAB"})
    renamed = await team.patch("/workspace", {"name": "lab"})
    kept = await team.patch("/workspace", {"name": "DEFAULT"})

    assert (taken.status_code, renamed.status_code) == (409, 409)
    assert kept.json()["workspace"]["name"] == "DEFAULT"


@pytest.mark.parametrize("role", ["viewer", "operator", "editor", "owner"])
async def test_only_administrators_see_all_workspaces(team: Team, role: str) -> None:
    async with team.signed_in("ann@example.org", role) as ann:
        answers = [await ann.get("/workspaces"), await ann.post("/workspaces", json={"name": "Mine"})]
        renamed = await ann.patch("/workspace", json={"name": "Ours"})

    assert [answer.status_code for answer in answers] == [403, 403]
    assert renamed.status_code == (200 if role == "owner" else 403)
