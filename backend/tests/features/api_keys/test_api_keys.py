"""API keys of a workspace: created, used, limited, expired, revoked."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Scope
from crewai_runner.core.roles import ROLE_SCOPES, WorkspaceRole
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.wiring.container import Container
from tests.support.teams import Team


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


class TestCreate:
    async def test_a_key_has_the_scopes_of_its_role(self, team: Team) -> None:
        token = await team.create_key(role="operator")

        me = (await team.get("/me", token)).json()

        assert set(me["scopes"]) == ROLE_SCOPES[WorkspaceRole.OPERATOR]

    async def test_the_key_is_answered_once_and_never_stored(self, team: Team, container: Container) -> None:
        created = await team.post("/api-keys", {"name": "build", "scopes": ["runs:read"]})
        token = created.json()["token"]

        listed = (await team.get("/api-keys")).json()["apiKeys"]
        async with read_session(container.sessions) as session:
            row = await session.get_one(ApiKeyRow, listed[0]["id"])

        assert token not in str(listed) + str(vars(row))
        assert token.startswith(listed[0]["hint"])
        assert listed[0]["scopes"] == ["runs:read"]

    async def test_a_key_with_more_rights_than_its_creator_is_refused(self, team: Team) -> None:
        token = await team.create_key(scopes=["keys:write", "runs:read"])

        refused = await team.post("/api-keys", {"name": "more", "role": "owner"}, token)

        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (
            403,
            "more-than-own-rights",
        )
        assert "runs:write" in refused.json()["scopes"]

    @pytest.mark.parametrize(
        "rights",
        [{}, {"role": "owner", "scopes": ["runs:read"]}, {"scopes": []}, {"scopes": [Scope.INSTANCE_ADMIN]}],
    )
    async def test_rights_that_are_not_clear_are_refused(self, team: Team, rights: dict[str, object]) -> None:
        assert (await team.post("/api-keys", {"name": "unclear"} | rights)).status_code == 422

    async def test_an_expiry_in_the_past_is_refused(self, team: Team) -> None:
        body = {"name": "late", "role": "viewer", "expiresAt": (now() - timedelta(1)).isoformat()}

        assert (await team.post("/api-keys", body)).json()["errors"][0]["pointer"] == "/expiresAt"


class TestUse:
    async def test_a_missing_scope_is_refused(self, team: Team) -> None:
        token = await team.create_key(role="viewer")

        refused = await team.post("/workflows", {"yaml": "name: x"}, token)

        assert (refused.status_code, refused.json()["scope"]) == (403, "workflows:write")

    async def test_a_revoked_key_fails_at_once(self, team: Team) -> None:
        token = await team.create_key(role="owner")
        assert (await team.get("/me", token)).status_code == 200

        await team.delete(f"/api-keys/{await team.find_key_id()}")

        assert (await team.get("/me", token)).status_code == 401

    async def test_an_expired_key_fails_even_when_it_is_cached(
        self, team: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        expires = (now() + timedelta(hours=1)).isoformat()
        created = await team.post("/api-keys", {"name": "short", "role": "viewer", "expiresAt": expires})
        token = created.json()["token"]
        assert (await team.get("/me", token)).status_code == 200

        monkeypatch.setattr("crewai_runner.features.auth.credentials.now", lambda: now() + timedelta(hours=2))

        assert (await team.get("/me", token)).status_code == 401

    async def test_the_last_use_is_recorded_without_clearing_the_caches(self, team: Team) -> None:
        token = await team.create_key(role="viewer")
        known = team.container.credentials._known

        await team.get("/me", token)

        assert (await team.get("/api-keys")).json()["apiKeys"][0]["lastUsedAt"] is not None
        assert team.container.credentials._known is known

    async def test_a_browser_session_of_a_key_ends_with_it(self, team: Team) -> None:
        token = await team.create_key(role="viewer")
        async with team.browser() as browser:
            await browser.post("/session", json={}, headers={"Authorization": f"Bearer {token}"})
            assert (await browser.get("/me")).status_code == 200

            await team.delete(f"/api-keys/{await team.find_key_id()}")

            assert (await browser.get("/me")).status_code == 401


class TestOwnKeys:
    async def test_a_person_has_keys_of_their_own(self, team: Team) -> None:
        async with team.signed_in("ann@example.org", "viewer") as ann:
            created = await ann.post("/me/api-keys", json={"name": "laptop", "role": "viewer"})

            assert (await team.get("/me", created.json()["token"])).json()["email"] == "ann@example.org"
            assert [key["name"] for key in (await ann.get("/me/api-keys")).json()["apiKeys"]] == ["laptop"]
            assert (await ann.get("/api-keys")).status_code == 403

    async def test_it_never_has_more_rights_than_the_person_has_now(self, team: Team) -> None:
        async with team.signed_in("ann@example.org", "editor") as ann:
            created = await ann.post("/me/api-keys", json={"name": "laptop", "role": "editor"})
            token = created.json()["token"]
            person_id = (await ann.get("/me")).json()["personId"]

            await team.patch(f"/people/{person_id}", {"role": "viewer"})
            assert set((await team.get("/me", token)).json()["scopes"]) == ROLE_SCOPES[WorkspaceRole.VIEWER]

            await team.delete(f"/people/{person_id}")
            assert (await team.get("/me", token)).status_code == 401

    async def test_the_key_of_someone_else_does_not_exist(self, team: Team) -> None:
        await team.create_key(role="viewer")
        async with team.signed_in("ann@example.org", "owner") as ann:
            revoked = await ann.delete(f"/me/api-keys/{await team.find_key_id()}")

        assert revoked.status_code == 404

    async def test_a_key_has_no_keys_of_its_own(self, team: Team) -> None:
        assert (await team.get("/me/api-keys", await team.create_key(role="owner"))).status_code == 409


async def test_the_servers_key_still_works_when_the_database_is_gone(team: Team) -> None:
    client: httpx.AsyncClient = team.client
    assert (await client.get("/me")).status_code == 200
