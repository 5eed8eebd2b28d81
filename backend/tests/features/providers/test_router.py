"""Endpoints of providers."""

import logging
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from crewai_runner.db.session import read_session
from crewai_runner.wiring.container import Container
from tests.support.catalog import PROVIDER_KEY
from tests.support.harness import ON_SQLITE
from tests.support.principals import auth_headers

pytestmark = pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True)

Provider = dict[str, Any]


def routes(provider_id: str) -> list[tuple[str, str, Any]]:
    return [
        ("GET", "/providers", None),
        ("POST", "/providers", {"name": "New", "type": "openai"}),
        ("POST", "/providers/test", {"type": "openai", "baseUrl": "http://127.0.0.1:9"}),
        ("GET", f"/providers/{provider_id}", None),
        ("PATCH", f"/providers/{provider_id}", {"name": "Other"}),
        ("DELETE", f"/providers/{provider_id}", None),
        ("POST", f"/providers/{provider_id}/test", None),
        ("GET", f"/providers/{provider_id}/models", None),
    ]


@ON_SQLITE
class TestAuthorization:
    @pytest.mark.parametrize("index", range(8))
    async def test_anonymous_gets_401(
        self, client: httpx.AsyncClient, stored_provider: Provider, index: int
    ) -> None:
        method, path, body = routes(stored_provider["id"])[index]

        response = await client.request(method, path, json=body, headers={"Authorization": ""})

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("index", range(3, 8))
    async def test_other_workspace_gets_404(
        self, client: httpx.AsyncClient, stored_provider: Provider, index: int
    ) -> None:
        method, path, body = routes(stored_provider["id"])[index]

        response = await client.request(method, path, json=body, headers=auth_headers("stranger"))

        assert response.status_code == 404
        assert response.json()["type"].endswith("/provider-not-found")
        assert (await client.get(f"/providers/{stored_provider['id']}")).json() == stored_provider

    async def test_other_workspace_gets_an_empty_list(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        response = await client.get("/providers", headers=auth_headers("stranger"))

        assert response.json() == {"providers": [], "nextCursor": None}

    @pytest.mark.parametrize("index", [1, 2, 4, 5, 6])
    async def test_reader_cannot_change_or_test(
        self, client: httpx.AsyncClient, stored_provider: Provider, index: int
    ) -> None:
        method, path, body = routes(stored_provider["id"])[index]

        response = await client.request(method, path, json=body, headers=auth_headers("catalog-reader"))

        assert response.status_code == 403

    @pytest.mark.parametrize("index", range(8))
    async def test_without_scopes_gets_403(
        self, client: httpx.AsyncClient, stored_provider: Provider, index: int
    ) -> None:
        method, path, body = routes(stored_provider["id"])[index]

        response = await client.request(method, path, json=body, headers=auth_headers("without-scopes"))

        assert response.status_code == 403


class TestGet:
    @pytest.mark.parametrize(
        "invalid_id", ["mdl_1", "prov_", "prov_%00", "prov_1'--", "prov_" + "1" * 300, "☃"]
    )
    async def test_invalid_id_gets_404(self, client: httpx.AsyncClient, invalid_id: str) -> None:
        assert (await client.get(f"/providers/{invalid_id}")).status_code == 404


class TestList:
    async def test_pages_and_type_filter(self, client: httpx.AsyncClient) -> None:
        for number in range(5):
            kind = "groq" if number % 2 else "mistral"
            await client.post("/providers", json={"name": f"P{number}", "type": kind})
        names, cursor = [], None
        while True:
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/providers", params=query)).json()
            names += [provider["name"] for provider in page["providers"]]
            cursor = page["nextCursor"]
            if cursor is None:
                break

        groq = (await client.get("/providers", params={"type": "groq"})).json()

        assert sorted(names) == ["P0", "P1", "P2", "P3", "P4"]
        assert [provider["name"] for provider in groq["providers"]] == ["P1", "P3"]

    @pytest.mark.parametrize("cursor", ["%", "WzFd", "WyJcdTAwMDAiXQ", "e30"])
    async def test_invalid_cursor_is_rejected(self, client: httpx.AsyncClient, cursor: str) -> None:
        assert (await client.get("/providers", params={"cursor": cursor})).status_code == 400


class TestDelete:
    async def test_removes_the_key(
        self, client: httpx.AsyncClient, stored_provider: Provider, container: Container
    ) -> None:
        path = f"/providers/{stored_provider['id']}"

        response = await client.delete(path)

        assert (response.status_code, response.content) == (204, b"")
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404

    async def test_provider_with_models_requires_force(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        path = f"/providers/{stored_provider['id']}"
        await client.post("/models", json={"name": "gpt-4o", "providerId": stored_provider["id"]})

        rejected = await client.delete(path)
        forced = await client.delete(path, params={"force": "true"})

        assert rejected.status_code == 409
        assert rejected.json()["models"] == ["gpt-4o"]
        assert forced.status_code == 204
        assert (await client.get("/models")).json()["models"] == []


class TestSecrets:
    async def test_database_does_not_contain_the_key(
        self, client: httpx.AsyncClient, stored_provider: Provider, container: Container
    ) -> None:
        async with read_session(container.sessions) as session:
            rows = [
                str(row)
                for table in ("providers", "idempotency_keys", "models")
                for row in await session.execute(text(f"SELECT * FROM {table}"))
            ]

        assert stored_provider["id"] in "".join(rows)
        assert PROVIDER_KEY not in "".join(rows)

    async def test_responses_and_logs_do_not_contain_the_key(
        self,
        client: httpx.AsyncClient,
        stored_provider: Provider,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        responses = [
            await client.request(method, path, json=body)
            for method, path, body in routes(stored_provider["id"])
            if method != "DELETE"
        ]
        responses.append(
            await client.post("/providers", json={"name": stored_provider["name"], "apiKey": PROVIDER_KEY})
        )
        responses.append(
            await client.patch(f"/providers/{stored_provider['id']}", json={"apiKey": PROVIDER_KEY + " x"})
        )
        responses.append(
            await client.patch(f"/providers/{stored_provider['id']}", json={"apiKey": PROVIDER_KEY, "x": 1})
        )

        output = "".join(str(response.headers) + response.text for response in responses) + caplog.text

        assert PROVIDER_KEY not in output

    async def test_key_is_masked(self, stored_provider: Provider, container: Container) -> None:
        assert container.mask(f"the key is {PROVIDER_KEY}") == "the key is ••••••"


class TestListAsJson:
    async def test_equals_the_single_providers(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        bedrock = {"name": "AWS", "type": "bedrock", "options": {"region": "eu-central-1"}, "models": ["a"]}
        await client.post("/providers", json=bedrock)

        listed = (await client.get("/providers")).json()["providers"]

        single = [(await client.get(f"/providers/{one['id']}")).json() for one in listed]
        assert listed == single
        assert [list(one) for one in listed] == [list(one) for one in single]
        assert stored_provider in listed
