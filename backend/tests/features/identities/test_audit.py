"""What the audit log says of sign-ins at issuers, of their end, and of groups that change."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx
from sqlalchemy import select

from crewai_runner.core.clock import now
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.audit import AuditRow
from tests.features.identities.conftest import SingleSignOn
from tests.support.issuers import TestIssuers

LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}
Rows = Sequence[AuditRow]


async def list_rows(sso: SingleSignOn, operation: str) -> Rows:
    await sso.container.audit.refusals.store_due(is_last=True)
    query = select(AuditRow).where(AuditRow.operation == operation).order_by(AuditRow.id)
    async with read_session(sso.container.sessions) as session:
        return (await session.scalars(query)).all()


def changes_of(row: AuditRow) -> list[Any]:
    return [[one["field"], one["before"], one["after"]] for one in json.loads(row.changes)]


class TestSignIn:
    async def test_names_who_signed_in(self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str) -> None:
        await sso.enter(browser, ann)

        person_id = (await browser.get("/me")).json()["personId"]
        [row] = await list_rows(sso, "session:finish_issuer_sign_in")
        assert (row.actor_kind, row.actor_id, row.chain) == ("person", person_id, "ws_default")
        assert (row.target_kind, row.target_id, row.result) == ("person", person_id, "succeeded")
        assert "ann@" not in row.changes

    async def test_one_without_a_role_is_a_refused_attempt(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        issuers.one.set_account("ann", email="ann@example.org", email_verified=True, groups=["other"])

        await sso.enter(browser, ann)

        [row] = await list_rows(sso, "session:finish_issuer_sign_in")
        assert (row.result, row.reason, row.chain) == ("refused", "no-role", "")

    async def test_connecting_an_account_names_the_person(self, sso: SingleSignOn, ann: str) -> None:
        async with sso.signed_in("ann@example.org", "owner") as browser:
            begun = await browser.post("/me/identities", json={"issuer": "one"})
            await sso.finish(browser, await sso.issuers.one.answer(begun.json()["url"], ann))
            person_id = (await browser.get("/me")).json()["personId"]

        [row] = await list_rows(sso, "session:finish_issuer_sign_in")
        assert (row.actor_id, row.target_id, row.result) == (person_id, person_id, "succeeded")


class TestEnd:
    async def test_by_the_issuer_is_one_row(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)
        issued = int(now().timestamp())
        claims = {"iss": issuers.one.url, "aud": "crewai-runner", "iat": issued, "jti": "1", "sub": ann}
        token = issuers.one.sign(claims | {"events": LOGOUT})

        async with sso.browser() as issuer:
            answer = await issuer.post("/sign-in/issuer/logout", data={"logout_token": token})

        assert answer.status_code == 200
        [row] = await list_rows(sso, "session:end_issuer_sessions")
        assert (row.actor_kind, row.chain, row.result) == ("anonymous", "", "succeeded")
        assert (row.target_kind, row.target_id) == ("issuer", "one")


class TestGroups:
    async def change(self, sso: SingleSignOn, groups: list[str], seconds: float) -> None:
        sso.issuers.one.set_account("ann", email="ann@example.org", groups=groups)
        await sso.age_groups(seconds)

    async def test_every_workspace_shows_the_role_that_changed(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        person_id = (await browser.get("/me")).json()["personId"]
        await self.change(sso, ["owners"], 601)

        await browser.get("/me")

        first, second = await list_rows(sso, "system:apply_groups")
        assert {row.actor_kind for row in (first, second)} == {"system"}
        assert {(row.target_kind, row.target_id) for row in (first, second)} == {("person", person_id)}
        assert (first.chain, changes_of(first)) == ("ws_default", [["membership.role", "editor", "owner"]])
        assert (second.chain, changes_of(second)) == (
            "ws_strangers",
            [["membership.role", "viewer", None]],
        )

    async def test_groups_that_stay_leave_no_row(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        await sso.age_groups(601)

        await browser.get("/me")

        assert await list_rows(sso, "system:apply_groups") == []

    async def test_the_request_that_waited_did_not_do_it(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        await self.change(sso, ["owners"], 301)

        await browser.post("/me/api-keys", json={"name": "mine", "role": "viewer"})
        await asyncio.gather(*sso.container.identities.groups._tasks.values())
        await self.change(sso, ["writers"], 601)
        await browser.post("/me/api-keys", json={"name": "other", "role": "viewer"})

        rows = await list_rows(sso, "keys:create_own_api_key")
        assert "membership" not in "".join(row.changes for row in rows)
