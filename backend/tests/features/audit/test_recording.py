"""What rows say: who, from where, what, on what, before and after; and which requests leave none."""

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from crewai_runner.core.principal import Scope
from crewai_runner.core.roles import ROLE_SCOPES, WorkspaceRole
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.db.tables.catalog import ProviderRow
from crewai_runner.wiring.container import Container
from tests.support.asgi import connect
from tests.support.harness import ON_SQLITE
from tests.support.principals import AS_STRANGER
from tests.support.server_process import TWO_TASKS
from tests.support.teams import PASSWORD, Team

pytestmark = pytest.mark.each_database

PROVIDER = {
    "name": "OpenAI",
    "type": "openai_compatible",
    "baseUrl": "http://127.0.0.1:9/v1",
    "apiKey": "sk-1st-8hd72kd0",
}

SOCKET = "/api/v1/runs/run_1/ws"


@pytest.fixture
def team(container: Container, app: FastAPI) -> Team:
    return Team(container, app)


async def read_rows(container: Container) -> Sequence[AuditRow]:
    await container.audit.refusals.store_due(is_last=True)
    async with read_session(container.sessions) as session:
        return (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()


async def read_last(container: Container) -> AuditRow:
    return (await read_rows(container))[-1]


def changes_of(row: AuditRow) -> dict[str, tuple[Any, Any]]:
    return {one["field"]: (one["before"], one["after"]) for one in json.loads(row.changes)}


class TestChange:
    async def test_says_who_did_what_from_where(self, team: Team, container: Container) -> None:
        async with team.signed_in("ann@example.org", "owner") as ann:
            me = (await ann.get("/me")).json()
            key = await ann.post(
                "/api-keys", json={"name": "build", "role": "viewer"}, headers={"X-Request-Id": "r-1"}
            )

        row = await read_last(container)

        assert (row.actor_kind, row.actor_id, row.person_id) == ("person", me["personId"], me["personId"])
        assert (row.operation, row.target_kind, row.target_id) == (
            "keys:create_api_key",
            "api-key",
            key.json()["apiKey"]["id"],
        )
        assert (row.chain, row.address, row.request_id, row.result) == (
            "ws_default",
            "127.0.0.1",
            "r-1",
            "succeeded",
        )

    async def test_shows_fields_before_and_after_without_secrets(
        self, team: Team, container: Container
    ) -> None:
        created = await team.post("/providers", {"provider": PROVIDER})
        provider_id = created.json()["provider"]["id"]
        changed = {"name": "Renamed", "apiKey": "sk-2nd-9fj38fj1"}

        answer = await team.patch(f"/providers/{provider_id}", {"provider": changed})

        assert answer.is_success, answer.text
        assert changes_of(await read_last(container)) == {
            "provider.name": ("OpenAI", "Renamed"),
            "provider.apiKey": ("[secret]", "[secret] (new)"),
        }

    async def test_of_settings_of_the_workspace(self, team: Team, container: Container) -> None:
        await team.patch("/workspace", {"allowsPublicLinks": True})
        shared = await read_last(container)
        await team.client.put("/workspace/quotas", json={"runsAtOnce": 4})
        quotas = await read_last(container)

        assert changes_of(shared) == {"workspace.allowsPublicLinks": (False, True)}
        assert changes_of(quotas) == {"quotas.byOwner": (None, {"runsAtOnce": 4})}
        assert (quotas.target_kind, quotas.target_id) == ("workspace", "ws_default")

    async def test_of_limits_is_in_the_log_of_the_limited_workspace(
        self, team: Team, container: Container
    ) -> None:
        other = (await team.post("/workspaces", {"name": "Another"})).json()["workspace"]["id"]
        await team.client.put(f"/workspaces/{other}/quotas", json={"runsPerDay": 9})

        row = await read_last(container)

        assert (row.chain, row.actor_kind) == (other, "server-key")
        assert changes_of(row) == {"quotas.byAdministrator": (None, {"runsPerDay": 9})}

    async def test_masks_a_secret_in_any_field(self, team: Team, container: Container) -> None:
        """A name that contains a known key: people paste keys into the wrong field."""
        await team.post("/providers", {"provider": PROVIDER})
        await team.post("/providers", {"provider": {**PROVIDER, "name": f"my {PROVIDER['apiKey']}"}})

        assert PROVIDER["apiKey"] not in (await read_last(container)).changes

    async def test_a_key_of_a_person_names_the_person_too(self, team: Team, container: Container) -> None:
        async with team.signed_in("ann@example.org", "owner") as ann:
            person_id = (await ann.get("/me")).json()["personId"]
            token = (await ann.post("/me/api-keys", json={"name": "mine", "role": "owner"})).json()["token"]
        await team.post("/invitations", {"email": "bob@example.org", "role": "viewer"}, token)

        row = await read_last(container)

        assert (row.actor_kind, row.person_id, row.operation) == (
            "api-key",
            person_id,
            "people:invite_person",
        )
        assert "bob@" not in row.changes  # people are named by their ids only

    async def test_is_stored_with_the_transaction_or_not_at_all(
        self, team: Team, container: Container
    ) -> None:
        """The row and the change are one transaction: without the one the other is not stored either."""
        async with unit_of_work(container.sessions) as session:
            await session.execute(text("ALTER TABLE audit_log RENAME TO audit_log_away"))
        try:
            refused = await team.post("/providers", {"provider": PROVIDER})
            run = await team.post("/runs", {"workflow": TWO_TASKS})
        finally:
            async with unit_of_work(container.sessions) as session:
                await session.execute(text("ALTER TABLE audit_log_away RENAME TO audit_log"))

        async with read_session(container.sessions) as session:
            names = (await session.scalars(select(ProviderRow.name))).all()
        assert refused.status_code >= 500
        assert run.status_code >= 500
        assert "OpenAI" not in names
        assert (await team.get("/runs")).json()["runs"] == []

    async def test_of_a_repeated_request_is_stored_once(self, team: Team, container: Container) -> None:
        for path, body in (("/runs", {"workflow": TWO_TASKS}), ("/providers", {"provider": PROVIDER})):
            before = len(await read_rows(container))
            for _ in range(2):
                answer = await team.client.post(path, json=body, headers={"Idempotency-Key": "once"})
                assert answer.is_success, answer.text

            assert len(await read_rows(container)) == before + 1


class TestNoRow:
    async def test_of_rejected_requests_and_reads(self, team: Team, container: Container) -> None:
        await team.post("/providers", {"provider": PROVIDER})
        before = len(await read_rows(container))

        answers = [
            await team.post("/providers", {"provider": PROVIDER}),
            await team.post("/providers", {"provider": {}}),
            await team.delete("/providers/prov_unknown"),
            await team.post("/runs/run_unknown/stop", {"mode": "now"}),
            await team.get("/providers"),
            await team.browser().get("/providers"),  # without credentials
        ]

        assert [answer.status_code for answer in answers] == [409, 422, 404, 404, 200, 401]
        assert len(await read_rows(container)) == before


class TestRefused:
    async def test_scope_that_is_missing(self, team: Team, container: Container) -> None:
        token = await team.create_key(role="viewer")
        await team.post("/workflows", {"workflow": {"yaml": TWO_TASKS}}, token)

        row = await read_last(container)

        assert (row.result, row.reason, row.operation, row.chain) == (
            "refused",
            "scope-missing",
            "workflows:create_workflow",
            "ws_default",
        )
        assert row.actor_kind == "api-key"

    async def test_sign_in_names_the_person_but_not_the_address(
        self, team: Team, container: Container
    ) -> None:
        person_id = await team.create_person("ann@example.org", "viewer")
        for email in ("ann@example.org", "unknown@example.org"):
            await team.browser().post("/sign-in", json={"email": email, "password": PASSWORD + "!"})

        known, unknown = (await read_rows(container))[-2:]

        assert (known.reason, known.target_id, known.chain) == ("sign-in-failed", person_id, "")
        assert (unknown.reason, unknown.target_id) == ("sign-in-failed", None)

    async def test_revoked_key_is_named_in_its_workspace(self, team: Team, container: Container) -> None:
        token, key_id = await team.create_key(role="viewer"), await team.find_key_id()
        await team.delete(f"/api-keys/{key_id}")
        for _ in range(3):
            assert (await team.get("/runs", token)).status_code == 401
        assert (await team.get("/runs", "cr_wrong")).status_code == 401

        revoked, wrong = (await read_rows(container))[-2:]

        assert (revoked.chain, revoked.target_id, revoked.count) == ("ws_default", key_id, 3)
        assert (wrong.chain, wrong.target_id, wrong.count) == ("", None, 1)
        assert token not in repr(vars(revoked))

    async def test_websocket_without_the_scope(self, team: Team, container: Container, app: FastAPI) -> None:
        token, key_id = await team.create_key(scopes=["workflows:read"]), await team.find_key_id()

        await connect(app, SOCKET, {"Authorization": f"Bearer {token}"})

        row = await read_last(container)
        assert (row.result, row.reason, row.actor_id, row.chain) == (
            "refused",
            "scope-missing",
            key_id,
            "ws_default",
        )
        assert (row.operation, row.target_kind, row.target_id) == (
            "websocket:stream_events_over_websocket",
            "run",
            "run_1",
        )

    async def test_websocket_with_a_revoked_key(self, team: Team, container: Container, app: FastAPI) -> None:
        """However the key is sent; a page of another site is refused too, and counted."""
        token, key_id = await team.create_key(role="viewer"), await team.find_key_id()
        await team.delete(f"/api-keys/{key_id}")
        for headers in (
            {"Authorization": f"Bearer {token}"},
            {"Sec-WebSocket-Protocol": f"bearer.{token}, crewai-runner"},
        ):
            await connect(app, SOCKET, headers)

        row = await read_last(container)
        assert (row.reason, row.chain, row.target_id, row.count) == (
            "unauthenticated",
            "ws_default",
            key_id,
            2,
        )

    async def test_websocket_from_a_page_of_another_site(
        self, team: Team, container: Container, app: FastAPI
    ) -> None:
        async with team.signed_in("ann@example.org", "viewer") as ann:
            cookie = "; ".join(f"{one.name}={one.value}" for one in ann.cookies.jar)

        await connect(app, SOCKET, {"Cookie": cookie, "Origin": "https://evil.example"})

        assert (await read_last(container)).reason == "cross-site-request"

    async def test_websocket_without_credentials_is_no_attempt(
        self, team: Team, container: Container, app: FastAPI
    ) -> None:
        await team.create_person("ann@example.org", "viewer")
        before = len(await read_rows(container))

        await connect(app, SOCKET, {})

        assert len(await read_rows(container)) == before


class TestReading:
    @pytest.mark.parametrize("role", ["viewer", "operator", "editor"])
    @ON_SQLITE
    async def test_needs_the_scope(self, team: Team, role: str) -> None:
        token = await team.create_key(role=role)

        for path in ("/audit", "/audit/export"):
            refused = await team.get(path, token)
            assert (refused.status_code, refused.json()["scope"]) == (403, Scope.AUDIT_READ)
        assert Scope.AUDIT_READ in ROLE_SCOPES[WorkspaceRole.OWNER]

    async def test_other_workspace_sees_nothing(
        self, client: httpx.AsyncClient, container: Container
    ) -> None:
        await client.post("/providers", json={"provider": PROVIDER})

        own = (await client.get("/audit")).json()["entries"]
        foreign = await client.get("/audit", headers=AS_STRANGER)
        exported = await client.get("/audit/export", headers=AS_STRANGER)

        assert [entry["operation"] for entry in own] == ["providers:create_provider"]
        assert (foreign.json()["entries"], exported.text) == ([], "")

    async def test_only_administrators_see_rows_without_workspace(
        self, team: Team, container: Container
    ) -> None:
        await team.browser().post("/sign-in", json={"email": "x@example.org", "password": PASSWORD})
        await container.audit.refusals.store_due(is_last=True)
        owner = await team.create_key(role="owner")

        as_owner = (await team.get("/audit?result=refused", owner)).json()["entries"]
        as_administrator = (await team.get("/audit?result=refused")).json()["entries"]

        assert as_owner == []
        assert [entry["operation"] for entry in as_administrator] == ["session:sign_in"]

    async def test_filters_and_pages(self, team: Team, container: Container) -> None:
        ann = await team.create_person("ann@example.org", "viewer")
        for role in ("editor", "operator", "viewer"):
            await team.patch(f"/people/{ann}", {"role": role})
        await team.create_key(role="viewer")

        async def find(query: str) -> list[str]:
            answer = await team.get(f"/audit?{query}")
            assert answer.status_code == 200, answer.text
            return [entry["operation"] for entry in answer.json()["entries"]]

        assert await find(f"target={ann}&operation=people:change_role") == ["people:change_role"] * 3
        assert await find("actor=server-key") == await find("")
        assert await find(f"actor={ann}") == []
        assert await find("result=refused") == []
        assert await find("since=2999-01-01T00:00:00Z") == []
        assert len(await find("until=2999-01-01T00:00:00Z&since=2020-01-01T00:00:00Z")) == 5
        first = (await team.get("/audit?limit=2")).json()
        rest = (await team.get(f"/audit?limit=200&cursor={first['nextCursor']}")).json()
        assert [len(first["entries"]), len(rest["entries"]), rest["nextCursor"]] == [2, 3, None]
        assert first["entries"][0]["changes"][0]["field"] == "api-key.scopes"

    async def test_shows_current_names(self, team: Team, container: Container) -> None:
        async with team.signed_in("ann@example.org", "owner") as ann:
            await ann.post("/api-keys", json={"name": "build", "role": "viewer"})
            entry = (await ann.get("/audit")).json()["entries"][0]

        assert entry["actorName"] == "Ann"


@ON_SQLITE
async def test_has_no_operation_that_writes_it(app: FastAPI) -> None:
    paths = {path: set(operations) for path, operations in app.openapi()["paths"].items() if "/audit" in path}

    assert paths
    assert all(methods == {"get"} for methods in paths.values())
