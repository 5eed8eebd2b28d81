"""Signing in with a password and a second factor, and the attacks on it."""

from collections.abc import AsyncIterator

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from crewai_runner.core.clock import now
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.features.people.passwords import Passwords
from crewai_runner.wiring.container import Container
from tests.support.teams import PASSWORD, Team

ANN = "ann@example.org"


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


@pytest.fixture
async def browser(team: Team) -> AsyncIterator[httpx.AsyncClient]:
    async with team.browser() as opened:
        yield opened


class TestPassword:
    async def test_signs_in_with_the_rights_of_the_role(self, team: Team, browser: httpx.AsyncClient) -> None:
        await team.create_person(ANN, "operator")

        assert (await team.sign_in(browser, "Ann@Example.ORG")).status_code == 201

        me = (await browser.get("/me")).json()
        assert (me["email"], me["workspace"]["role"]) == (ANN, "operator")
        assert "runs:write" in me["scopes"]
        assert "workflows:write" not in me["scopes"]

    async def test_every_failure_has_the_same_answer(
        self, team: Team, browser: httpx.AsyncClient, container: Container
    ) -> None:
        await team.create_person(ANN, "viewer")
        gone = await team.create_person("gone@example.org", "viewer")
        async with unit_of_work(container.sessions) as session:
            await session.execute(update(PersonRow).where(PersonRow.id == gone).values(disabled_at=now()))

        answers = [
            await browser.post("/sign-in", json={"email": email, "password": password})
            for email, password in (
                (ANN, PASSWORD + "!"),
                ("unknown@example.org", PASSWORD),
                ("gone@example.org", PASSWORD),
            )
        ]

        bodies = [answer.json() | {"requestId": "", "instance": ""} for answer in answers]
        assert [answer.status_code for answer in answers] == [401] * 3
        assert bodies == [bodies[0]] * 3

    async def test_an_unknown_address_costs_a_hash_too(
        self, team: Team, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verified: list[str | None] = []
        verify = Passwords._verify

        def watch(self: Passwords, password_hash: str | None, password: str) -> bool:
            verified.append(password_hash)
            return verify(self, password_hash, password)

        monkeypatch.setattr(Passwords, "_verify", watch)

        await browser.post("/sign-in", json={"email": "unknown@example.org", "password": PASSWORD})

        assert verified == [None]

    async def test_guesses_are_limited_per_account(
        self, container: Container, app: FastAPI, browser: httpx.AsyncClient
    ) -> None:
        team = Team(container, app, failures_per_minute=2)
        await team.create_person(ANN, "viewer")
        guess = {"email": ANN, "password": "a wrong password"}

        answers = [(await browser.post("/sign-in", json=guess)).status_code for _ in range(4)]

        assert answers == [401, 401, 429, 429]
        assert (await team.sign_in(browser, ANN)).status_code == 429

    async def test_a_page_of_another_site_cannot_sign_a_visitor_in(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        await team.create_person(ANN, "viewer")
        browser.headers["Sec-Fetch-Site"] = "cross-site"

        assert (await team.sign_in(browser, ANN)).status_code == 403

    async def test_a_session_that_was_planted_ends_at_sign_in(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        await team.create_person(ANN, "viewer")
        await team.create_person("mallory@example.org", "viewer")
        await team.sign_in(browser, "mallory@example.org")
        planted = httpx.Cookies(browser.cookies)

        await team.sign_in(browser, ANN)

        async with team.browser() as mallory:
            mallory.cookies = planted
            assert (await mallory.get("/me")).status_code == 401
        assert (await browser.get("/me")).json()["email"] == ANN


class TestSecondFactor:
    async def start(self, browser: httpx.AsyncClient) -> tuple[pyotp.TOTP, list[str]]:
        started = (await browser.post("/me/second-factor", json={"password": PASSWORD})).json()
        totp = pyotp.TOTP(started["secret"])
        assert pyotp.parse_uri(started["uri"]).secret == totp.secret
        confirmed = await browser.post(
            "/me/second-factor/confirm", json={"code": totp.at(int(now().timestamp()) - 30)}
        )
        return totp, list(confirmed.json()["recoveryCodes"])

    async def test_a_code_is_needed_and_counts_once(self, team: Team, browser: httpx.AsyncClient) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            totp, _ = await self.start(ann)

        without = await team.sign_in(browser, ANN)
        assert (without.status_code, without.json()["type"].rpartition("/")[2]) == (401, "code-needed")

        code = totp.now()
        assert (await team.sign_in(browser, ANN, code=code)).status_code == 201
        assert (await team.sign_in(browser, ANN, code=code)).status_code == 401
        assert (await team.sign_in(browser, ANN, code="000000")).status_code == 401

    async def test_a_wrong_password_is_reported_before_a_code_is_asked_for(
        self, team: Team, browser: httpx.AsyncClient
    ) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            await self.start(ann)

        refused = await browser.post("/sign-in", json={"email": ANN, "password": "a wrong password"})

        assert refused.json()["type"].rpartition("/")[2] == "sign-in-failed"

    async def test_a_recovery_code_works_once(self, team: Team, browser: httpx.AsyncClient) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            _, codes = await self.start(ann)

        assert len(set(codes)) == 10
        assert (await team.sign_in(browser, ANN, code=codes[0].upper())).status_code == 201
        assert (await team.sign_in(browser, ANN, code=codes[0])).status_code == 401

    async def test_the_secret_is_encrypted(self, team: Team, container: Container) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            totp, _ = await self.start(ann)

        async with read_session(container.sessions) as session:
            person = await session.get_one(PersonRow, await find_person_id(team))
        assert person.sealed_totp_secret is not None
        assert totp.secret not in person.sealed_totp_secret

    async def test_removing_it_needs_the_password(self, team: Team, browser: httpx.AsyncClient) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            await self.start(ann)
            wrong = await ann.post("/me/second-factor/remove", json={"password": "a wrong password"})
            right = await ann.post("/me/second-factor/remove", json={"password": PASSWORD})

        assert (wrong.status_code, right.status_code) == (403, 204)
        assert (await team.sign_in(browser, ANN)).status_code == 201


class TestPasswordChange:
    async def test_ends_the_other_sessions(self, team: Team, browser: httpx.AsyncClient) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            await team.sign_in(browser, ANN)

            changed = await ann.put(
                "/me/password", json={"currentPassword": PASSWORD, "password": "another long password"}
            )

            assert changed.status_code == 204
            assert (await ann.get("/me")).status_code == 200
            assert (await browser.get("/me")).status_code == 401
        assert (await team.sign_in(browser, ANN)).status_code == 401

    async def test_needs_the_current_one(self, team: Team) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            body = {"currentPassword": "a wrong password", "password": "another long password"}

            assert (await ann.put("/me/password", json=body)).status_code == 403

    async def test_a_key_of_a_person_changes_no_password(self, team: Team) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            key = (await ann.post("/me/api-keys", json={"name": "k", "role": "viewer"})).json()["token"]
        body = {"currentPassword": PASSWORD, "password": "another long password"}

        refused = await team.client.put("/me/password", json=body, headers={"Authorization": f"Bearer {key}"})

        assert refused.status_code == 409


class TestSessions:
    async def test_are_listed_and_ended_one_by_one(self, team: Team, browser: httpx.AsyncClient) -> None:
        async with team.signed_in(ANN, "viewer") as ann:
            browser.headers["User-Agent"] = "Browser/1"
            await team.sign_in(browser, ANN)

            sessions = (await ann.get("/me/sessions")).json()["sessions"]
            assert (sessions[0]["isCurrent"], sessions[0]["userAgent"]) == (False, "Browser/1")

            assert (await ann.delete(f"/me/sessions/{sessions[0]['id']}")).status_code == 204
            assert (await browser.get("/me")).status_code == 401
            assert (await ann.get("/me")).status_code == 200

    async def test_those_of_others_do_not_exist(self, team: Team, browser: httpx.AsyncClient) -> None:
        await team.create_person("bob@example.org", "viewer")
        await team.sign_in(browser, "bob@example.org")
        session_id = (await browser.get("/me/sessions")).json()["sessions"][0]["id"]

        async with team.signed_in(ANN, "owner") as ann:
            assert (await ann.delete(f"/me/sessions/{session_id}")).status_code == 404


async def find_person_id(team: Team) -> str:
    people = (await team.get("/people")).json()["people"]
    return str(next(person["id"] for person in people if person["email"] == ANN))
