"""Endpoints of connections."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crewai_runner.db.session import read_session
from crewai_runner.db.tables.connections import ConnectionRow
from crewai_runner.wiring.container import Container
from tests.support.harness import ON_SQLITE
from tests.support.principals import auth_headers
from tests.support.scripted_service import Reply, ScriptedService
from tests.support.search_services import ANSWERS

pytestmark = pytest.mark.harness(seed_models=False, allow_private_hosts=True)

KEY = "search-canary-5f2c9e81d07b4a36"
SERPER: dict[str, Any] = {"name": "Web", "kind": "serper", "secret": KEY}


async def create(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await client.post("/connections", json={"connection": body})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()["connection"]
    return created


class TestCreate:
    async def test_stores_the_secret_encrypted(self, client: httpx.AsyncClient, container: Container) -> None:
        created = await create(client, **SERPER)

        assert created["hasSecret"]
        assert created["secretHint"] == KEY[-4:]
        assert (created["purpose"], created["isDefault"], created["version"]) == ("search", True, 1)
        assert KEY not in str(created) + (await client.get("/connections")).text
        async with read_session(container.sessions) as session:
            [row] = (await session.scalars(select(ConnectionRow))).all()
        assert KEY not in str(row.sealed_secret)
        assert container.cipher.decrypt(str(row.sealed_secret)) == KEY
        assert KEY not in container.mask(f"the log says {KEY}")

    async def test_names_are_unique(self, client: httpx.AsyncClient) -> None:
        await create(client, **SERPER)

        response = await client.post("/connections", json=SERPER)

        assert response.status_code == 409
        assert response.json()["type"].endswith("/connection-name-taken")

    async def test_an_idempotency_key_creates_one(self, client: httpx.AsyncClient) -> None:
        answers = [
            await client.post("/connections", json=SERPER, headers={"Idempotency-Key": "once"})
            for _ in range(2)
        ]

        assert answers[0].json() == answers[1].json()

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"kind": "serper"}, "/secret"),
            ({"kind": "serper", "secret": "short"}, "/secret"),
            ({"kind": "serper", "secret": "with space in it 12345678"}, "/secret"),
            ({"kind": "serper", "secret": KEY, "options": {"methods": ["POST"]}}, "/options/methods"),
            ({"kind": "serper", "secret": KEY, "baseUrl": "ftp://a.example"}, "/baseUrl"),
            ({"kind": "serper", "secret": KEY, "baseUrl": "https://a.example/?key=1"}, "/baseUrl"),
            ({"kind": "searxng"}, "/baseUrl"),
            ({"kind": "searxng", "baseUrl": "http://169.254.169.254/"}, "/baseUrl"),
            ({"kind": "searxng", "baseUrl": "http://ann:pw@a.example/"}, "/baseUrl"),
            ({"kind": "http", "baseUrl": "https://a.example", "options": {"auth": "bearer"}}, "/secret"),
            (
                {
                    "kind": "http",
                    "baseUrl": "https://a.example",
                    "secret": KEY,
                    "options": {"auth": "header"},
                },
                "/options/header",
            ),
            (
                {
                    "kind": "http",
                    "baseUrl": "https://a.example",
                    "secret": KEY,
                    "options": {"auth": "header", "header": "Host"},
                },
                "/options/header",
            ),
            (
                {"kind": "http", "baseUrl": "https://a.example", "secret": KEY, "options": {"auth": "basic"}},
                "/options/username",
            ),
            ({"kind": "postgresql", "options": {"username": "ann"}}, "/baseUrl"),
            ({"kind": "postgresql", "baseUrl": "postgresql://db.example/shop"}, "/options/username"),
            ({"kind": "postgresql", "baseUrl": "postgresql://db.example"}, "/baseUrl"),
            ({"kind": "postgresql", "baseUrl": "postgresql://db.example/a/b"}, "/baseUrl"),
            ({"kind": "postgresql", "baseUrl": "https://db.example/shop"}, "/baseUrl"),
            ({"kind": "postgresql", "baseUrl": "postgresql://ann:pw@db.example/shop"}, "/baseUrl"),
            (
                {
                    "kind": "postgresql",
                    "baseUrl": "postgresql://169.254.169.254/shop",
                    "options": {"username": "ann"},
                },
                "/baseUrl",
            ),
            ({"kind": "smtp", "baseUrl": "smtp://mail.example"}, "/options/sender"),
            (
                {"kind": "smtp", "baseUrl": "smtp://mail.example", "options": {"sender": "x"}},
                "/options/sender",
            ),
            ({"kind": "smtp", "baseUrl": "smtp://mail.example"}, "/options/recipients"),
            (
                {
                    "kind": "smtp",
                    "baseUrl": "smtp://mail.example",
                    "options": {"sender": "a@b.example", "recipients": ["@b.example\nBcc: c"]},
                },
                "/options/recipients/0",
            ),
            (
                {
                    "kind": "http",
                    "baseUrl": "https://a.example",
                    "secret": KEY,
                    "options": {"auth": "oauth", "username": "a"},
                },
                "/options/tokenUrl",
            ),
            ({"kind": "slack", "secret": "not a url"}, "/secret"),
            ({"kind": "slack", "secret": "https://hooks.example/"}, "/secret"),
            ({"kind": "slack", "secret": "http://169.254.169.254/services/T0/B0/abc"}, "/secret"),
            (
                {
                    "kind": "slack",
                    "secret": "https://h.example/services/T0/B0/abc",
                    "baseUrl": "https://h.example",
                },
                "/baseUrl",
            ),
        ],
    )
    @ON_SQLITE
    async def test_refuses(self, client: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
        response = await client.post("/connections", json={"name": "New", **body})

        assert response.status_code == 422, response.text
        assert pointer in [error["pointer"] for error in response.json()["errors"]]
        assert KEY not in response.text


class TestUpdate:
    async def test_keeps_the_secret_at_the_same_address(self, client: httpx.AsyncClient) -> None:
        created = await create(client, **SERPER)
        path = f"/connections/{created['id']}"

        response = await client.patch(path, json={"name": "Other"}, headers={"If-Match": '"1"'})

        assert response.status_code == 200
        assert (response.json()["name"], response.json()["hasSecret"], response.headers["ETag"]) == (
            "Other",
            True,
            '"2"',
        )
        assert (await client.patch(path, json={"name": "X"}, headers={"If-Match": '"1"'})).status_code == 412

    async def test_a_secret_is_never_sent_to_another_address(self, client: httpx.AsyncClient) -> None:
        created = await create(client, **SERPER)
        path, moved = f"/connections/{created['id']}", {"baseUrl": "https://attacker.example"}

        refused = await client.patch(path, json=moved)
        accepted = await client.patch(path, json={**moved, "secret": KEY + "x"})

        assert refused.status_code == 422
        assert refused.json()["type"].endswith("/secret-needed-again")
        assert accepted.json()["baseUrl"] == "https://attacker.example"

    async def test_a_needed_secret_cannot_be_removed(self, client: httpx.AsyncClient) -> None:
        created = await create(client, **SERPER)

        response = await client.patch(f"/connections/{created['id']}", json={"secret": None})

        assert response.status_code == 422

    async def test_one_connection_of_a_purpose_is_the_default(self, client: httpx.AsyncClient) -> None:
        first = await create(client, **SERPER)
        second = await create(client, name="Own", kind="searxng", baseUrl="https://search.example")
        third = await create(
            client, name="Third", kind="searxng", baseUrl="https://s.example", isDefault=True
        )
        await client.patch(f"/connections/{second['id']}", json={"isDefault": True})

        listed = (await client.get("/connections")).json()["connections"]

        assert {one["id"]: one["isDefault"] for one in listed} == {
            first["id"]: False,
            second["id"]: True,
            third["id"]: False,
        }


class TestDelete:
    async def test_forgets_the_secret(self, client: httpx.AsyncClient, container: Container) -> None:
        created = await create(client, **SERPER)

        response = await client.delete(f"/connections/{created['id']}")

        assert response.status_code == 204
        assert (await client.get(f"/connections/{created['id']}")).status_code == 404
        assert container.mask(KEY) == KEY


@ON_SQLITE
class TestTest:
    async def test_search(self, client: httpx.AsyncClient) -> None:
        with ScriptedService(Reply(ANSWERS["serper"])) as service:
            created = await create(client, **SERPER, baseUrl=service.url)
            report = (await client.post(f"/connections/{created['id']}/test")).json()

        assert (report["ok"], report["stage"]) == (True, "done")
        assert report["message"] == "Connected: a search found “Tea”."
        assert service.calls[0].headers["x-api-key"] == KEY

    async def test_before_it_is_saved(self, client: httpx.AsyncClient) -> None:
        with ScriptedService(Reply({"message": f"bad key {KEY}"}, 403)) as service:
            response = await client.post("/connections/test", json={**SERPER, "baseUrl": service.url})

        assert (response.json()["ok"], response.json()["stage"]) == (False, "auth")
        assert "rejected the credentials" in response.json()["message"]
        assert KEY not in response.text
        assert (await client.get("/connections")).json()["connections"] == []

    @pytest.mark.parametrize(
        ("reply", "stage"), [(Reply({"results": []}, 500), "answer"), (Reply(b"<html>"), "answer")]
    )
    async def test_a_bad_answer(self, client: httpx.AsyncClient, reply: Reply, stage: str) -> None:
        with ScriptedService(reply) as service:
            response = await client.post("/connections/test", json={**SERPER, "baseUrl": service.url})

        assert (response.json()["ok"], response.json()["stage"]) == (False, stage)

    async def test_nothing_listens(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/connections/test", json={**SERPER, "baseUrl": "http://127.0.0.1:9"})

        assert (response.json()["ok"], response.json()["stage"]) == (False, "connect")
        assert response.json()["message"] == "Serper refused the connection."

    async def test_an_http_host(self, client: httpx.AsyncClient) -> None:
        body = {"name": "Shop", "kind": "http", "secret": KEY, "options": {"auth": "bearer"}}
        with ScriptedService(Reply({}, 404)) as service:
            response = await client.post("/connections/test", json={**body, "baseUrl": service.url})

        assert (response.json()["ok"], response.json()["message"]) == (
            True,
            "Connected: the address answers with HTTP 404.",
        )
        assert service.calls[0].headers["authorization"] == f"Bearer {KEY}"

    async def test_a_channel_gets_a_message(self, client: httpx.AsyncClient) -> None:
        with ScriptedService(Reply(b"ok", content_type="text/plain")) as service:
            body = {"name": "Team", "kind": "slack", "secret": f"{service.url}/services/T0/B0/0123456789ab"}
            response = await client.post("/connections/test", json=body)

        assert response.json()["ok"]
        assert "Test of a connection" in service.calls[0].json["text"]


@ON_SQLITE
class TestAuthorization:
    async def test_other_workspace_gets_404(self, client: httpx.AsyncClient) -> None:
        created = await create(client, **SERPER)
        path, headers = f"/connections/{created['id']}", auth_headers("stranger")

        for method, suffix in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
            response = await client.request(method, path + suffix, json={"name": "X"}, headers=headers)
            assert response.status_code == 404, method

        assert (await client.get("/connections", headers=headers)).json()["connections"] == []
        assert (await client.get(path)).json() == created
