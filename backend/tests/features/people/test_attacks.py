"""Attacks on links, on sign-ins and on roles."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from crewai_runner.core.clock import now
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.people import MembershipRow, PersonRow
from crewai_runner.features.people.passwords import Passwords
from crewai_runner.features.people.repository import MemberRepository
from crewai_runner.wiring.container import Container
from tests.support.harness import ON_SQLITE
from tests.support.teams import PASSWORD, Team

ANN, BOB = "ann@example.org", "bob@example.org"
NEW = "another long password"


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


@pytest.fixture
async def browser(team: Team) -> AsyncIterator[httpx.AsyncClient]:
    async with team.browser() as opened:
        yield opened


def slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rpartition("/")[2])


async def create_reset(team: Team, person_id: str) -> str:
    created = await team.post(f"/people/{person_id}/password-reset", {})
    return str(created.json()["path"].partition("#")[2])


async def create_invitation(team: Team, email: str) -> str:
    created = await team.post("/invitations", {"email": email, "role": "viewer"})
    return str(created.json()["link"]["path"].partition("#")[2])


@ON_SQLITE
class TestResetTokens:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            *({"token": token} for token in (None, "", [], {"$ne": ""}, True)),
            *({"token": token} for token in (" " * 43, "0" * 43, "null" * 10, "%00" * 10)),
        ],
    )
    @pytest.mark.parametrize("path", ["password-reset", "invitation"])
    async def test_what_is_no_token_is_refused(
        self, team: Team, browser: httpx.AsyncClient, body: dict[str, object], path: str
    ) -> None:
        """Also of an account without a password, and of one without a link."""
        ann = await team.create_person(ANN, "owner")
        async with unit_of_work(team.container.sessions) as session:
            await session.execute(update(PersonRow).where(PersonRow.id == ann).values(password_hash=None))

        answer = await browser.post(f"/sign-in/{path}", json=body | {"password": NEW, "name": "Ann"})

        assert answer.status_code in (410, 422), answer.text
        assert (await browser.post("/sign-in", json={"email": ANN, "password": NEW})).status_code == 401

    async def test_an_expired_one_is_like_an_unknown_one(
        self, team: Team, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = await create_reset(team, await team.create_person(ANN, "viewer"))
        monkeypatch.setattr("crewai_runner.features.people.sign_in.now", lambda: now() + timedelta(hours=25))

        expired, unknown = [
            await browser.post("/sign-in/password-reset", json={"token": each, "password": NEW})
            for each in (token, "x" * 43)
        ]

        assert (expired.status_code, slug(expired)) == (410, "link-invalid")
        assert expired.json() | {"requestId": ""} == unknown.json() | {"requestId": ""}

    async def test_that_of_someone_else_changes_only_their_password(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        """The link names the person; nothing in the request does."""
        await team.create_person(ANN, "owner")
        token = await create_reset(team, await team.create_person(BOB, "viewer"))
        body = {"token": token, "password": NEW, "email": ANN, "personId": "x"}

        assert (await browser.post("/sign-in/password-reset", json=body)).status_code == 422
        del body["email"], body["personId"]
        await browser.post("/sign-in/password-reset", json=body)

        assert (await team.sign_in(browser, ANN)).status_code == 201

    async def test_guesses_are_limited(
        self, container: Container, app: FastAPI, browser: httpx.AsyncClient
    ) -> None:
        Team(container, app, failures_per_minute=2)
        guess = {"token": "x" * 43, "password": NEW}

        answers = [(await browser.post("/sign-in/password-reset", json=guess)).status_code for _ in range(3)]

        assert answers == [410, 410, 429]

    async def test_a_limited_key_makes_none_for_someone_with_more_rights(self, team: Team) -> None:
        """Whoever has the link signs in as that person."""
        ann = await team.create_person(ANN, "owner")
        token = await team.create_key(scopes=["people:write", "runs:read"])

        refused = await team.post(f"/people/{ann}/password-reset", {}, token)

        assert (refused.status_code, slug(refused)) == (403, "more-than-own-rights")


@pytest.mark.each_database
class TestSimultaneousUses:
    """On both databases: each has its own way to let only one of two transactions win."""

    async def test_an_invitation_lets_one_of_two_in(self, team: Team) -> None:
        token = await create_invitation(team, ANN)
        body = {"token": token, "name": "Ann", "password": PASSWORD}

        async with team.browser() as first, team.browser() as second:
            answers = await asyncio.gather(
                *(each.post("/sign-in/invitation", json=body) for each in (first, second))
            )

        assert min(answer.status_code for answer in answers) == 201
        assert len([answer for answer in answers if answer.is_success]) == 1

    async def test_a_reset_sets_one_of_two_passwords(self, team: Team) -> None:
        token = await create_reset(team, await team.create_person(ANN, "viewer"))

        async with team.browser() as first, team.browser() as second:
            answers = await asyncio.gather(
                first.post("/sign-in/password-reset", json={"token": token, "password": NEW}),
                second.post("/sign-in/password-reset", json={"token": token, "password": NEW + "!"}),
            )

        assert sorted(answer.status_code for answer in answers) == [204, 410]

    async def test_two_owners_do_not_remove_each_other(self, team: Team) -> None:
        ann, bob = await team.create_person(ANN, "owner"), await team.create_person(BOB, "owner")

        answers = await asyncio.gather(
            team.delete(f"/people/{ann}"), team.patch(f"/people/{bob}", {"role": "viewer"})
        )

        assert sorted(answer.is_success for answer in answers) == [False, True]
        async with read_session(team.container.sessions) as session:
            assert await MemberRepository(session, "ws_default").count_owners() == 1


@ON_SQLITE
class TestEnumeration:
    async def test_every_sign_in_verifies_one_password(
        self, team: Team, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The hash takes nearly all of the time: known or not, an address costs one."""
        for name, change in {
            "gone": {"disabled_at": now()},
            "without": {"password_hash": None},
            "nowhere": {},
        }.items():
            person = await team.create_person(f"{name}@example.org", "viewer")
            if name == "nowhere":
                await team.delete(f"/people/{person}")
                continue
            async with unit_of_work(team.container.sessions) as session:
                await session.execute(update(PersonRow).where(PersonRow.id == person).values(**change))
        await team.create_person(ANN, "viewer")
        verified: list[str] = []
        verify = Passwords._verify

        def count(self: Passwords, password_hash: str | None, password: str) -> bool:
            verified.append(email)
            return verify(self, password_hash, password)

        monkeypatch.setattr(Passwords, "_verify", count)
        addresses = [ANN, "gone@example.org", "without@example.org", "nowhere@example.org", "no@example.org"]

        for email in addresses:
            await browser.post("/sign-in", json={"email": email, "password": "a wrong password"})

        assert verified == addresses

    async def test_answers_to_guesses_do_not_differ(
        self, container: Container, app: FastAPI, browser: httpx.AsyncClient
    ) -> None:
        """Neither in a text nor in a header, from the first guess to those that are limited."""
        team = Team(container, app)
        await team.create_person(ANN, "viewer")
        async with team.signed_in("two@example.org", "viewer") as two:
            started = (await two.post("/me/second-factor", json={"password": PASSWORD})).json()
            code = pyotp.TOTP(started["secret"]).now()
            confirmed = await two.post("/me/second-factor/confirm", json={"code": code})
            assert confirmed.is_success, confirmed.text
        seen = {}
        for email in (ANN, "two@example.org", "no@example.org"):
            Team(container, app, failures_per_minute=2)  # which forgets the guesses before
            body = {"email": email, "password": "a wrong password"}
            answers = [await browser.post("/sign-in", json=body) for _ in range(4)]
            seen[email] = [(answer.status_code, comparable(answer)) for answer in answers]

        assert seen[ANN] == seen["two@example.org"] == seen["no@example.org"]
        assert [status for status, _ in seen[ANN]] == [401, 401, 429, 429]

    async def test_an_invitation_does_not_reveal_who_has_an_account(self, team: Team) -> None:
        """To an owner of one workspace: someone of another workspace is like someone new."""
        other = (await team.post("/workspaces", {"name": "Another"})).json()["workspace"]["id"]
        ann = await team.create_person(ANN, "viewer")
        async with unit_of_work(team.container.sessions) as session:
            moved = update(MembershipRow).where(MembershipRow.person_id == ann)
            await session.execute(moved.values(workspace_id=other))
        async with team.signed_in(BOB, "owner") as owner:
            answers = [
                await owner.post("/invitations", json={"email": email, "role": "viewer"})
                for email in (ANN, "new@example.org")
            ]
            listed = (await owner.get("/invitations")).json()["invitations"]

        assert [answer.status_code for answer in answers] == [201, 201]
        first, second = (shape(answer.json()) for answer in answers)
        assert first == second
        assert shape(listed[0]) == shape(listed[1])


def comparable(answer: httpx.Response) -> str:
    """The text and the headers of an answer without numbers, and without what differs in every one."""
    body = answer.json() | {"requestId": "", "instance": ""}
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    # How many seconds to wait depends on when the guess was sent.
    return re.sub(r"\d+", "0", repr((sorted(body.items()), sorted(headers.items()))))


def shape(value: Any) -> Any:
    """The members of a JSON value with their types."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    return type(value).__name__


@ON_SQLITE
class TestSessionId:
    async def test_is_new_after_a_change_to_more_rights(self, team: Team, browser: httpx.AsyncClient) -> None:
        """A cookie that someone else knew gains nothing."""
        ann = await team.create_person(ANN, "viewer")
        await team.sign_in(browser, ANN)
        known = httpx.Cookies(browser.cookies)

        await team.patch(f"/people/{ann}", {"role": "owner"})

        assert slug(await browser.get("/me")) == "session-ended"
        await team.sign_in(browser, ANN)
        assert (await browser.get("/me")).json()["workspace"]["role"] == "owner"
        async with team.browser() as mallory:
            mallory.cookies = known
            assert (await mallory.get("/me")).status_code == 401

    async def test_stays_with_fewer_rights_which_count_at_once(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        ann = await team.create_person(ANN, "owner")
        await team.create_person(BOB, "owner")
        await team.sign_in(browser, ANN)

        await team.patch(f"/people/{ann}", {"role": "viewer"})

        assert (await browser.get("/me")).json()["workspace"]["role"] == "viewer"

    async def test_each_sign_in_has_its_own(self, team: Team, browser: httpx.AsyncClient) -> None:
        await team.create_person(ANN, "viewer")
        cookies = set()
        for _ in range(2):
            await team.sign_in(browser, ANN)
            cookies |= {cookie.value for cookie in browser.cookies.jar}

        assert len(cookies) == 2
        assert len((await browser.get("/me/sessions")).json()["sessions"]) == 1
