"""Signing in at real issuers: roles from groups, groups that change, signing out, connected accounts."""

import asyncio

import httpx
import pytest
from sqlalchemy import update

from crewai_runner.core.clock import now
from crewai_runner.db.session import unit_of_work
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.features.auth import open_streams
from crewai_runner.features.identities import issuer_client
from crewai_runner.features.identities.errors import IssuerUnavailable
from tests.features.identities.conftest import SingleSignOn, read_slug
from tests.support.harness import RunHarness
from tests.support.issuers import TestIssuers
from tests.support.teams import SERVER_KEY


class TestSignIn:
    async def test_groups_give_roles_in_workspaces(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        entered = await sso.enter(browser, ann, next="/runs?q=x")

        assert (entered.status_code, entered.json()["next"]) == (201, "/runs?q=x")
        me = (await browser.get("/me")).json()
        assert (me["name"], me["email"], me["hasPassword"]) == ("Ann", "ann@example.org", False)
        roles = {workspace["id"]: workspace["role"] for workspace in me["workspaces"]}
        assert roles == {"ws_default": "editor", "ws_strangers": "viewer"}
        [person] = (await sso.get("/people")).json()["people"]
        assert (person["issuers"], person["managedBy"]) == (["First"], "First")

    async def test_userinfo_has_what_the_id_token_lacks(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        assert (await sso.enter(browser, ann, "two")).status_code == 201

        assert (await browser.get("/me")).json()["workspace"]["role"] == "editor"

    async def test_someone_without_a_mapped_group_is_refused(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        issuers.one.set_account("ann", email="ann@example.org", email_verified=True, groups=["other"])

        assert read_slug(await sso.enter(browser, ann)) == "403 no-role"
        assert (await browser.get("/me")).status_code == 401
        assert (await sso.get("/people")).json()["people"] == []

    async def test_a_second_sign_in_finds_the_same_person(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)
        first = (await browser.get("/me")).json()["personId"]
        issuers.one.set_account("ann", name="Ann B.", email="b@example.org", groups=["owners"])

        await sso.enter(browser, ann)

        me = (await browser.get("/me")).json()
        assert (me["personId"], me["email"]) == (first, "ann@example.org")
        assert [workspace["role"] for workspace in me["workspaces"]] == ["owner"]

    @pytest.mark.each_database
    async def test_simultaneous_first_sign_ins_make_one_person(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        urls = [await sso.begin(browser) for _ in range(2)]
        answers = [await sso.issuers.one.answer(url, ann) for url in urls]

        finished = await asyncio.gather(*(sso.finish(browser, answer) for answer in answers))

        assert [response.status_code for response in finished] == [201, 201]
        assert len((await sso.get("/people")).json()["people"]) == 1

    async def test_a_rotated_key_is_fetched(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await sso.enter(browser, ann)
        sso.issuers.one.control("rotate")
        assert read_slug(await sso.enter(browser, ann)) == "403 id-token-invalid"

        monkeypatch.setattr(issuer_client, "UNKNOWN_KEY_SECONDS", -1)

        assert (await sso.enter(browser, ann)).status_code == 201

    async def test_an_owner_cannot_grant_more_than_the_groups(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        path = f"/people/{(await browser.get('/me')).json()['personId']}"

        for refused in (await sso.patch(path, {"role": "owner"}), await sso.delete(path)):
            assert read_slug(refused) == "409 managed-by-issuer"


class TestGroupChanges:
    async def test_leaving_a_group_ends_rights_session_and_keys(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)
        key = (await browser.post("/me/api-keys", json={"name": "k", "role": "viewer"})).json()["token"]
        assert (await sso.get("/me", key)).status_code == 200
        issuers.one.set_account("ann", email="ann@example.org", groups=[])
        await sso.age_groups(601)

        assert (await sso.get("/me", key)).status_code == 401
        assert (await browser.get("/me")).status_code == 401
        assert (await sso.get("/people")).json()["people"] == []

    async def test_a_key_has_no_rights_once_the_groups_cannot_be_read_again(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        key = (await browser.post("/me/api-keys", json={"name": "k", "role": "viewer"})).json()["token"]
        await browser.post("/me/sign-out")
        assert (await sso.get("/me", key)).status_code == 200

        await sso.age_groups(601)

        assert (await sso.get("/me", key)).status_code == 401

    async def test_groups_are_read_in_the_background_before_they_are_too_old(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)
        issuers.one.set_account("ann", email="ann@example.org", groups=["owners"])
        await sso.age_groups(301)

        assert (await browser.get("/me")).json()["workspace"]["role"] == "editor"
        await asyncio.wait(sso.container.identities.groups._tasks.values())

        assert (await browser.get("/me")).json()["workspace"]["role"] == "owner"

    async def test_an_open_stream_ends(
        self,
        sso: SingleSignOn,
        browser: httpx.AsyncClient,
        ann: str,
        issuers: TestIssuers,
        harness: RunHarness,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(open_streams, "RECHECK_SECONDS", 0.0)
        await sso.enter(browser, ann)
        run_id = await harness.create_running()
        stream = asyncio.create_task(browser.get(f"/runs/{run_id}/stream"))
        ended, _ = await asyncio.wait([stream], timeout=0.3)
        assert not ended
        issuers.one.set_account("ann", email="ann@example.org", groups=["owners"])

        await sso.age_groups(601)

        assert (await stream).status_code == 200

    async def test_groups_that_cannot_be_read_count_until_they_are_too_old(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(*_: object) -> None:
            raise IssuerUnavailable("First", "it is down")

        await sso.enter(browser, ann)
        monkeypatch.setattr(issuer_client.IssuerClient, "refresh", fail)

        await sso.age_groups(590)
        assert (await browser.get("/me")).status_code == 200
        await sso.age_groups(601)
        assert read_slug(await browser.get("/me")) == "401 groups-unchecked"

        monkeypatch.undo()
        await sso.age_groups(601)
        assert (await browser.get("/me")).status_code == 200

    async def test_a_session_in_another_workspace_is_refreshed_too(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)
        switched = await browser.post("/me/workspace", json={"workspaceId": "ws_strangers"})
        browser.headers["X-CSRF-Token"] = switched.json()["csrfToken"]
        issuers.one.set_account("ann", email="ann@example.org", groups=["readers"])

        await sso.age_groups(601)

        assert (await browser.get("/me")).status_code == 401

    async def test_the_end_of_the_account_at_the_issuer_ends_the_session(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)
        issuers.one.delete_account("ann")
        await sso.age_groups(601)

        assert read_slug(await browser.get("/me")) == "401 session-ended"

    async def test_someone_disabled_here_cannot_sign_in(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        async with unit_of_work(sso.container.sessions) as session:
            await session.execute(update(PersonRow).values(disabled_at=now()))

        assert (await browser.get("/me")).status_code == 401
        assert read_slug(await sso.enter(browser, ann)) == "403 person-disabled"


class TestSignOut:
    async def test_ends_the_session_here_and_at_the_issuer(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)

        url = (await browser.post("/me/sign-out")).json()["url"]

        assert (await browser.get("/me")).status_code == 401
        assert url.startswith(f"{issuers.one.url}/session/end?")
        assert "id_token_hint=" in url
        async with httpx.AsyncClient(trust_env=False) as at_issuer:
            page = await at_issuer.get(url)
        # The issuer has accepted the hint and the address to come back to.
        assert page.status_code == 200, page.text

    async def test_a_key_has_no_issuer(self, sso: SingleSignOn) -> None:
        assert (await sso.post("/me/sign-out", {})).json() == {"url": None}

    async def test_the_issuer_ends_sessions(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str, issuers: TestIssuers
    ) -> None:
        await sso.enter(browser, ann)
        event = {"http://schemas.openid.net/event/backchannel-logout": {}}
        issued = int(now().timestamp())
        claims = {"iss": issuers.one.url, "aud": "crewai-runner", "iat": issued, "jti": "1", "sub": ann}
        refused = [
            claims,  # no event
            claims | {"events": event, "nonce": "n"},
            claims | {"events": event, "aud": "another"},
            claims | {"events": event, "iss": "https://unknown.example.org"},
            {name: value for name, value in claims.items() if name != "sub"} | {"events": event},
        ]
        for bad in refused:
            form = {"logout_token": issuers.one.sign(bad)}
            answer = await browser.post("/sign-in/issuer/logout", data=form)
            assert read_slug(answer) == "400 logout-token-invalid"
        earlier = issuers.one.sign(claims | {"events": event, "iat": issued - 100})
        await browser.post("/sign-in/issuer/logout", data={"logout_token": earlier})
        assert (await browser.get("/me")).status_code == 200

        token = issuers.one.sign(claims | {"events": event, "iat": issued})
        ended = await browser.post("/sign-in/issuer/logout", data={"logout_token": token})

        assert ended.status_code == 200
        assert (await browser.get("/me")).status_code == 401


class TestIdentities:
    async def connect(self, sso: SingleSignOn, browser: httpx.AsyncClient, login: str) -> httpx.Response:
        begun = await browser.post("/me/identities", json={"issuer": "one"})
        return await sso.finish(browser, await sso.issuers.one.answer(begun.json()["url"], login))

    async def test_an_account_is_connected_used_and_disconnected(self, sso: SingleSignOn, ann: str) -> None:
        async with sso.signed_in("ann@example.org", "owner") as browser:
            connected = await self.connect(sso, browser, ann)
            assert (connected.json()["session"], connected.json()["next"]) == (None, "/account")
            async with sso.browser() as other:
                await sso.enter(other, ann)
                me = (await other.get("/me")).json()
                # What an owner decided stays; the groups add the other workspace.
                roles = {workspace["id"]: workspace["role"] for workspace in me["workspaces"]}
                assert roles == {"ws_default": "owner", "ws_strangers": "viewer"}

                [identity] = (await browser.get("/me/identities")).json()["identities"]
                assert (identity["issuerName"], identity["label"]) == ("First", "ann@example.org")
                removed = await browser.delete(f"/me/identities/{identity['id']}")

                assert removed.status_code == 204
                assert (await other.get("/me")).status_code == 401
            me = (await browser.get("/me")).json()
            assert [workspace["id"] for workspace in me["workspaces"]] == ["ws_default"]

    async def test_the_only_way_to_sign_in_stays(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        [identity] = (await browser.get("/me/identities")).json()["identities"]

        refused = await browser.delete(f"/me/identities/{identity['id']}")

        assert read_slug(refused) == "409 last-sign-in-method"

    async def test_an_account_of_someone_else_cannot_be_connected(
        self, sso: SingleSignOn, browser: httpx.AsyncClient, ann: str
    ) -> None:
        await sso.enter(browser, ann)
        async with sso.signed_in("bob@example.org", "viewer") as bob:
            assert read_slug(await self.connect(sso, bob, ann)) == "409 identity-taken"

    async def test_only_whoever_began_can_connect(self, sso: SingleSignOn, ann: str) -> None:
        async with sso.signed_in("bob@example.org", "viewer") as bob:
            begun = await bob.post("/me/identities", json={"issuer": "one"})
            answer = await sso.issuers.one.answer(begun.json()["url"], ann)
            await sso.create_person("eve@example.org", "viewer")
            await sso.sign_in(bob, "eve@example.org")

            assert read_slug(await sso.finish(bob, answer)) == "410 sign-in-attempt-invalid"

    async def test_a_key_has_none(self, sso: SingleSignOn) -> None:
        assert (await sso.get("/me/identities", SERVER_KEY)).json() == {"identities": []}
        refused = await sso.post("/me/identities", {"issuer": "one"})
        assert read_slug(refused) == "409 person-needed"
