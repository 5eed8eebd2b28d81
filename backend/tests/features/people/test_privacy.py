"""What is stored about a person is exported, and nothing that identifies them stays after a removal."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from crewai_runner.db.base import Base
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.people import ExternalIdentityRow, RecoveryCodeRow
from crewai_runner.wiring.container import Container
from tests.support.server_process import TWO_TASKS
from tests.support.teams import PASSWORD, Team

pytestmark = pytest.mark.each_database

ANN, BOB = "ann@example.org", "bob@example.org"
SUBJECT = "the-subject-at-the-issuer"


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


async def leave_traces(team: Team, ann: httpx.AsyncClient) -> dict[str, Any]:
    """Let someone do and own one of everything; returns who they are."""
    me: dict[str, Any] = (await ann.get("/me")).json()
    container = team.container
    workflow = {"workflow": {"yaml": TWO_TASKS, "note": "a note of ann"}}
    async with unit_of_work(container.sessions) as session:
        session.add(ExternalIdentityRow(issuer="https://issuer", subject=SUBJECT, person_id=me["personId"]))
        session.add(RecoveryCodeRow(person_id=me["personId"], code_hash="x"))
    assert (await ann.post("/me/api-keys", json={"name": "laptop of ann", "role": "viewer"})).is_success
    assert (await ann.post("/workflows", json=workflow)).is_success
    return me


async def read_all_rows(container: Container) -> str:
    """Every value of every table, as one text."""
    async with read_session(container.sessions) as session:
        rows = [list(await session.execute(select(table))) for table in Base.metadata.sorted_tables]
    return repr(rows)


class TestExport:
    async def test_has_what_the_person_is_owns_and_did(self, team: Team) -> None:
        async with team.signed_in(ANN, "editor") as ann:
            me = await leave_traces(team, ann)

            exported = await ann.get("/me/export")
            by_administrator = await team.get(f"/people/{me['personId']}/export")

        data = exported.json()
        assert data == by_administrator.json()
        assert (data["id"], data["email"], data["name"]) == (me["personId"], ANN, "Ann")
        assert [one["role"] for one in data["workspaces"]] == ["editor"]
        assert [one["name"] for one in data["apiKeys"]] == ["laptop of ann"]
        assert [one["subject"] for one in data["externalIdentities"]] == [SUBJECT]
        assert [one["note"] for one in data["workflowVersions"]] == ["a note of ann"]
        assert len(data["sessions"]) == 1
        for secret in ("argon2", "tokenHash", "keyHash", "password"):
            assert secret not in exported.text
        assert re.search(r"crk_[\w-]{5}", exported.text) is None, "more than the beginning of a key"

    @pytest.mark.parametrize("role", ["viewer", "owner"])
    async def test_others_export_nothing(self, team: Team, role: str) -> None:
        ann_id = await team.create_person(ANN, "viewer")
        async with team.signed_in(BOB, role) as bob:
            answers = [
                await bob.get(f"/people/{ann_id}/export"),
                await bob.delete(f"/people/{ann_id}/account"),
            ]

        assert [answer.status_code for answer in answers] == [403, 403]

    async def test_keys_have_no_person_to_export(self, team: Team) -> None:
        answer = await team.get("/me/export")

        assert answer.json()["type"].endswith("/person-needed")


class TestRemoval:
    @pytest.mark.parametrize("by_administrator", [True, False])
    async def test_nothing_identifies_them_afterwards(
        self, team: Team, container: Container, *, by_administrator: bool
    ) -> None:
        async with team.signed_in(ANN, "editor") as ann:
            me = await leave_traces(team, ann)
            await team.post("/invitations", {"email": "someone@example.org", "role": "viewer"})
            if by_administrator:
                removed = await team.delete(f"/people/{me['personId']}/account")
            else:
                removed = await ann.post("/me/removal", json={"password": PASSWORD})

            assert removed.status_code == 200, removed.text
            assert (await ann.get("/me")).status_code == 401

        name, rows = removed.json()["name"], await read_all_rows(container)
        assert name.startswith("Removed person ")
        assert name in rows
        for trace in (ANN, "'Ann'", "laptop of ann", SUBJECT, "argon2"):
            assert trace not in rows, trace
        assert me["personId"] in rows
        assert "someone@example.org" in rows
        again = await team.delete(f"/people/{me['personId']}/account")
        assert again.status_code == 404
        async with team.browser() as browser:
            assert (await team.sign_in(browser, ANN)).status_code == 401

    async def test_wrong_password_removes_nothing(self, team: Team) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            refused = await ann.post("/me/removal", json={"password": "a wrong password"})

            assert (refused.status_code, (await ann.get("/me")).status_code) == (403, 200)

    async def test_last_owner_stays(self, team: Team) -> None:
        async with team.signed_in(ANN, "owner") as ann:
            me = (await ann.get("/me")).json()

            answers = [
                await ann.post("/me/removal", json={"password": PASSWORD}),
                await team.delete(f"/people/{me['personId']}/account"),
            ]

            assert [answer.json()["type"].rpartition("/")[2] for answer in answers] == ["last-owner"] * 2
            await team.create_person(BOB, "owner")
            assert (await ann.post("/me/removal", json={"password": PASSWORD})).status_code == 200
