"""People of a workspace: roles, invitations, resets, and what ends when someone leaves."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.session import unit_of_work
from crewai_runner.db.tables.people import MembershipRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.wiring.container import Container
from tests.support.teams import PASSWORD, Team

ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


@pytest.fixture
async def browser(team: Team) -> AsyncIterator[httpx.AsyncClient]:
    async with team.browser() as opened:
        yield opened


async def invite(team: Team, email: str, role: str) -> str:
    """Invite someone; return the token of the link."""
    created = await team.post("/invitations", {"email": email, "role": role})
    assert created.status_code == 201, created.text
    return str(created.json()["link"]["path"].partition("#")[2])


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])


class TestRoles:
    async def test_a_change_counts_at_once(self, team: Team) -> None:
        async with team.signed_in(ANN, "editor") as ann:
            assert (await ann.get("/me")).json()["workspace"]["role"] == "editor"
            person_id = (await ann.get("/me")).json()["personId"]

            await team.patch(f"/people/{person_id}", {"role": "viewer"})

            refused = await ann.post("/workflows", json={"yaml": "name: x"})
            assert (refused.status_code, slug(refused)) == (403, "scope-missing")

    @pytest.mark.parametrize("role", ["viewer", "operator", "editor"])
    async def test_only_owners_manage_people(self, team: Team, role: str) -> None:
        async with team.signed_in(ANN, role) as ann:
            answers = [
                await ann.get("/people"),
                await ann.post("/invitations", json={"email": BOB, "role": "viewer"}),
                await ann.post("/people", json={"name": "B", "email": BOB, "password": PASSWORD}),
            ]

        assert [answer.status_code for answer in answers] == [403] * 3

    async def test_an_owner_is_no_administrator(self, team: Team) -> None:
        async with team.signed_in(ANN, "owner") as ann:
            body = {"name": "B", "email": BOB, "password": PASSWORD, "isAdministrator": True}

            assert (await ann.post("/people", json=body)).status_code == 403

    async def test_the_last_owner_stays(self, team: Team) -> None:
        ann = await team.create_person(ANN, "owner")

        demoted = await team.patch(f"/people/{ann}", {"role": "editor"})
        removed = await team.delete(f"/people/{ann}")
        assert [slug(demoted), slug(removed)] == ["last-owner", "last-owner"]

        await team.create_person(BOB, "owner")
        assert (await team.patch(f"/people/{ann}", {"role": "editor"})).status_code == 200

    async def test_a_limited_key_grants_no_more_than_it_has(self, team: Team) -> None:
        ann = await team.create_person(ANN, "viewer")
        token = await team.create_key(scopes=["people:write", "runs:read"])

        raised = await team.patch(f"/people/{ann}", {"role": "owner"}, token)
        invited = await team.post("/invitations", {"email": BOB, "role": "owner"}, token)

        assert [slug(raised), slug(invited)] == ["more-than-own-rights"] * 2


class TestRemoval:
    async def test_ends_sessions_and_keys_but_not_the_account(self, team: Team) -> None:
        async with team.signed_in(ANN, "owner") as ann:
            key = (await ann.post("/me/api-keys", json={"name": "k", "role": "owner"})).json()["token"]
            await team.create_person(BOB, "owner")
            person_id = (await ann.get("/me")).json()["personId"]

            assert (await team.delete(f"/people/{person_id}")).status_code == 204

            assert (await ann.get("/me")).status_code == 401
            assert (await team.get("/me", key)).status_code == 401
        async with team.browser() as browser:
            assert slug(await team.sign_in(browser, ANN)) == "no-workspace"

    async def test_an_owner_signs_someone_out(self, team: Team) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            person_id = (await ann.get("/me")).json()["personId"]

            assert (await team.delete(f"/people/{person_id}/sessions")).status_code == 204

            assert (await ann.get("/me")).status_code == 401


class TestInvitation:
    async def test_creates_an_account_that_is_signed_in(self, team: Team, browser: httpx.AsyncClient) -> None:
        token = await invite(team, "Ann@example.org", "operator")
        body = {"token": token, "name": "Ann", "password": PASSWORD}

        accepted = await browser.post("/sign-in/invitation", json=body)

        assert accepted.status_code == 201
        me = (await browser.get("/me")).json()
        assert (me["email"], me["workspace"]["role"]) == (ANN, "operator")
        again = await browser.post("/sign-in/invitation", json=body)
        assert (again.status_code, slug(again)) == (410, "link-invalid")
        assert (await team.get("/invitations")).json()["invitations"] == []

    async def test_revoked_replaced_and_expired_ones_are_invalid(
        self, team: Team, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replaced = await invite(team, ANN, "viewer")
        revoked = await invite(team, ANN, "viewer")
        invitation_id = (await team.get("/invitations")).json()["invitations"][0]["id"]
        assert (await team.delete(f"/invitations/{invitation_id}")).status_code == 204
        expired = await invite(team, BOB, "viewer")
        monkeypatch.setattr("crewai_runner.features.people.sign_in.now", lambda: now() + timedelta(days=8))

        for token in (replaced, revoked, expired, "x" * 43, "\ud800" * 43):
            body = json.dumps({"token": token, "name": "Ann", "password": PASSWORD})
            kind = {"Content-Type": "application/json"}
            answer = await browser.post("/sign-in/invitation", content=body, headers=kind)
            assert slug(answer) == "link-invalid"

    async def test_is_no_password_reset(self, team: Team, browser: httpx.AsyncClient) -> None:
        """The token works for its purpose only, and someone who has an account must sign in with it."""
        await team.create_person(ANN, "viewer")
        other = await enter_other_workspace(team, ANN)
        token = await invite(other, BOB, "viewer")
        await team.create_person(BOB, "viewer")

        body = {"token": token, "password": "a new long password"}
        assert slug(await browser.post("/sign-in/password-reset", json=body)) == "link-invalid"
        accepted = await browser.post("/sign-in/invitation", json=body | {"name": "B"})
        assert slug(accepted) == "sign-in-needed"

    async def test_someone_with_an_account_joins_and_switches(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        await team.create_person(ANN, "viewer")
        other = await enter_other_workspace(team, ANN)
        await team.create_person(BOB, "viewer")
        token = await invite(other, BOB, "editor")
        await team.sign_in(browser, BOB)

        joined = await browser.post("/me/invitations", json={"token": token})
        entered = await browser.post("/me/workspace", json={"workspaceId": joined.json()["id"]})

        browser.headers["X-CSRF-Token"] = entered.json()["csrfToken"]
        me = (await browser.get("/me")).json()
        assert (me["workspace"]["name"], me["workspace"]["role"]) == ("Other", "editor")
        assert len(me["workspaces"]) == 2

    async def test_is_for_its_address_only(self, team: Team, browser: httpx.AsyncClient) -> None:
        await team.create_person(BOB, "viewer")
        token = await invite(team, ANN, "owner")
        await team.sign_in(browser, BOB)

        assert slug(await browser.post("/me/invitations", json={"token": token})) == "link-invalid"

    async def test_the_workspace_of_others_is_not_entered(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        await team.create_person(ANN, "owner")
        other = await enter_other_workspace(team, ANN)
        await team.create_person(BOB, "owner")
        await team.sign_in(browser, BOB)

        entered = await browser.post("/me/workspace", json={"workspaceId": other.workspace_id})

        assert entered.status_code == 404


class TestPasswordReset:
    async def test_sets_a_password_and_ends_all_sessions(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            person_id = (await ann.get("/me")).json()["personId"]
            first, token = [
                (await team.post(f"/people/{person_id}/password-reset", {})).json()["path"].partition("#")[2]
                for _ in range(2)
            ]
            body = {"token": token, "password": "another long password"}

            assert slug(await browser.post("/sign-in/password-reset", json=body | {"token": first})) == (
                "link-invalid"
            )
            assert (await browser.post("/sign-in/password-reset", json=body)).status_code == 204
            assert (await ann.get("/me")).status_code == 401

        assert slug(await browser.post("/sign-in/password-reset", json=body)) == "link-invalid"
        signed_in = await browser.post("/sign-in", json={"email": ANN, "password": "another long password"})
        assert signed_in.status_code == 201

    async def test_an_owner_takes_over_no_account_of_other_workspaces(self, team: Team) -> None:
        """A reset signs in as that person everywhere, so only an administrator makes one."""
        ann = await team.create_person(ANN, "viewer")
        await enter_other_workspace(team, ANN)
        root = await team.create_person("root@example.org", "viewer", isAdministrator=True)
        async with team.signed_in(BOB, "owner") as bob:
            answers = [await bob.post(f"/people/{person}/password-reset") for person in (ann, root)]

        assert [slug(answer) for answer in answers] == ["reset-not-allowed"] * 2

    @pytest.mark.parametrize("token", ["", "null", "x" * 19])
    async def test_a_token_that_is_none_is_refused(
        self, team: Team, browser: httpx.AsyncClient, token: str
    ) -> None:
        body = {"token": token, "password": "another long password"}

        assert (await browser.post("/sign-in/password-reset", json=body)).status_code == 422


class OtherWorkspace(Team):
    workspace_id: str


async def enter_other_workspace(team: Team, email: str) -> OtherWorkspace:
    """Make someone an owner of a second workspace; return its API as they see it."""
    people = (await team.get("/people")).json()["people"]
    person_id = next(person["id"] for person in people if person["email"] == email)
    workspace_id = new_id(Prefix.WORKSPACE)
    async with unit_of_work(team.container.sessions) as session:
        session.add(WorkspaceRow(id=workspace_id, name="Other"))
        await session.flush()
        session.add(
            MembershipRow(workspace_id=workspace_id, person_id=person_id, role="owner", created_by="test")
        )
    browser = team.browser()
    await team.sign_in(browser, email)
    entered = await browser.post("/me/workspace", json={"workspaceId": workspace_id})
    browser.headers["X-CSRF-Token"] = entered.json()["csrfToken"]
    return _InBrowser(team, browser, workspace_id)


class _InBrowser(OtherWorkspace):
    """Sends requests with a browser's session instead of a key."""

    def __init__(self, team: Team, browser: httpx.AsyncClient, workspace_id: str) -> None:
        self.container, self.app, self.client = team.container, team.app, browser
        self.workspace_id = workspace_id

    async def post(self, path: str, body: object, token: str = "") -> httpx.Response:
        return await self.client.post(path, json=body)
