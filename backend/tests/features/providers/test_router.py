"""Endpoints of providers."""

import asyncio
import logging
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.db.session import read_session
from crewai_runner.wiring.container import Container
from tests.support.catalog import PROVIDER_KEY
from tests.support.harness import ON_SQLITE
from tests.support.principals import auth_headers

pytestmark = pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_urls=True)

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


class TestCreate:
    async def test_returns_everything_but_the_key(self, client: httpx.AsyncClient) -> None:
        body = {
            "name": " Azure ",
            "type": "azure",
            "apiKey": PROVIDER_KEY,
            "baseUrl": "https://example.openai.azure.com/?api-version=2024-10-21",
            "models": ["gpt-4o"],
        }

        response = await client.post("/providers", json={"provider": body})

        created = response.json()["provider"]
        assert response.status_code == 201
        assert response.headers["ETag"] == '"1"'
        assert created["id"].startswith("prov_")
        assert created["name"] == "Azure"
        assert created["baseUrl"] == "https://example.openai.azure.com"
        assert created["options"] == {"apiVersion": "2024-10-21", "region": None}
        assert created["hasApiKey"] is True
        assert created["apiKeyHint"] == "LAST"
        assert created["createdAt"].endswith("Z")
        assert (await client.get(f"/providers/{created['id']}")).json() == created
        assert (await client.get("/providers")).json()["providers"] == [created]
        assert PROVIDER_KEY not in response.text

    async def test_accepts_bare_snake_case_and_custom(self, client: httpx.AsyncClient) -> None:
        body = {
            "name": "LM Studio",
            "type": "custom",
            "api_key": "none",
            "base_url": "http://127.0.0.1:1234/v1",
        }

        created = (await client.post("/providers", json=body)).json()["provider"]

        assert created["type"] == "openai_compatible"
        assert created["hasApiKey"] is True
        assert created["apiKeyHint"] is None

    async def test_blank_key_is_none(self, client: httpx.AsyncClient) -> None:
        body = {"name": "Ollama", "type": "ollama", "apiKey": " ", "baseUrl": ""}

        created = (await client.post("/providers", json=body)).json()["provider"]

        assert created["hasApiKey"] is False
        assert created["baseUrl"] is None

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"name": ""}, "/provider/name"),
            ({"name": "two\nlines"}, "/provider/name"),
            ({"name": "n" * 201}, "/provider/name"),
            ({"type": "skynet"}, "/provider/type"),
            ({"type": "local"}, "/provider/type"),
            ({"apiKey": "with space"}, "/provider/apiKey"),
            ({"apiKey": "line\nbreak"}, "/provider/apiKey"),
            ({"apiKey": "sk-schlüssel"}, "/provider/apiKey"),
            ({"apikey": PROVIDER_KEY}, "/provider/apikey"),
            ({"models": [""]}, "/provider/models/0"),
            ({"models": ["\u0000"]}, "/provider/models/0"),
            ({"options": {"region": "../x"}}, "/provider/options/region"),
            ({"options": {"headers": {}}}, "/provider/options/headers"),
            ({"baseUrl": "ftp://example.com"}, "/baseUrl"),
            ({"baseUrl": "https://user:pass@example.com"}, "/baseUrl"),
            ({"baseUrl": "https://example.com/v1?key=abc"}, "/baseUrl"),
            ({"baseUrl": "https://example.com/v1#x"}, "/baseUrl"),
            ({"baseUrl": "nonsense"}, "/baseUrl"),
            ({"baseUrl": "http://169.254.169.254/latest"}, "/baseUrl"),
            ({"baseUrl": "http://[fe80::1]/"}, "/baseUrl"),
            ({"baseUrl": "http://2852039166/"}, "/baseUrl"),
            ({"type": "openai_compatible"}, "/baseUrl"),
            ({"type": "azure"}, "/baseUrl"),
            ({"type": "bedrock", "apiKey": "no-colon"}, "/apiKey"),
            ({"options": {"region": "eu-central-1"}}, "/options/region"),
        ],
    )
    async def test_invalid_field_is_named(
        self, client: httpx.AsyncClient, change: dict[str, Any], pointer: str
    ) -> None:
        body = {"name": "P", "type": "openai", "apiKey": PROVIDER_KEY, **change}

        response = await client.post("/providers", json={"provider": body})

        assert response.status_code == 422, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert pointer in [error["pointer"] for error in response.json()["errors"]]
        assert PROVIDER_KEY not in response.text
        assert (await client.get("/providers")).json()["providers"] == []

    async def test_pointers_of_a_bare_body(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/providers", json={"name": "P"})

        assert [error["pointer"] for error in response.json()["errors"]] == ["/type"]

    async def test_private_addresses_need_the_setting(
        self, client: httpx.AsyncClient, container: Container
    ) -> None:
        container.egress = EgressPolicy(allow_private=False)

        response = await client.post(
            "/providers", json={"name": "P", "type": "ollama", "baseUrl": "http://127.0.0.1:11434"}
        )

        assert response.status_code == 422
        assert "private network" in response.json()["detail"]

    async def test_accepts_an_unresolvable_host(
        self, client: httpx.AsyncClient, container: Container
    ) -> None:
        def unknown(_host: str, _port: int) -> list[str]:
            raise OSError("unknown")

        container.egress = EgressPolicy(allow_private=True, resolve=unknown)

        response = await client.post(
            "/providers", json={"name": "P", "type": "ollama", "baseUrl": "http://models.lan:11434"}
        )

        assert response.status_code == 201

    async def test_name_is_unique_in_the_workspace(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        body = {"name": stored_provider["name"], "type": "groq"}

        second = await client.post("/providers", json=body)
        other_workspace = await client.post("/providers", json=body, headers=auth_headers("stranger"))

        assert second.status_code == 409
        assert second.json()["type"].endswith("/provider-name-taken")
        assert other_workspace.status_code == 201

    async def test_concurrent_requests_with_one_name(self, client: httpx.AsyncClient) -> None:
        body = {"name": "P", "type": "groq"}

        responses = await asyncio.gather(*(client.post("/providers", json=body) for _ in range(5)))

        assert sorted(response.status_code for response in responses) == [201, 409, 409, 409, 409]

    async def test_idempotency_key_creates_one_provider(self, client: httpx.AsyncClient) -> None:
        body = {"name": "P", "type": "groq", "apiKey": PROVIDER_KEY}
        headers = {"Idempotency-Key": "once"}

        responses = await asyncio.gather(
            *(client.post("/providers", json=body, headers=headers) for _ in range(5))
        )

        assert {response.status_code for response in responses} == {201}
        assert len({response.text for response in responses}) == 1
        assert len((await client.get("/providers")).json()["providers"]) == 1

    async def test_idempotency_key_with_another_api_key_conflicts(self, client: httpx.AsyncClient) -> None:
        body = {"name": "P", "type": "groq", "apiKey": PROVIDER_KEY}
        headers = {"Idempotency-Key": "once"}
        await client.post("/providers", json=body, headers=headers)

        response = await client.post(
            "/providers", json={**body, "apiKey": PROVIDER_KEY + "2"}, headers=headers
        )

        assert response.status_code == 409
        assert response.json()["type"].endswith("/idempotency-key-reused")


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


class TestUpdate:
    async def test_keeps_fields_that_are_not_sent(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        response = await client.patch(
            f"/providers/{stored_provider['id']}",
            json={"name": "Renamed"},
            headers={"If-Match": '"1"'},
        )

        changed = response.json()
        assert response.status_code == 200
        assert response.headers["ETag"] == '"2"'
        assert changed["name"] == "Renamed"
        assert changed["updatedAt"] >= stored_provider["updatedAt"]
        same = {"id", "type", "baseUrl", "hasApiKey", "apiKeyHint", "models", "options", "createdAt"}
        assert {name: changed[name] for name in same} == {name: stored_provider[name] for name in same}

    async def test_key_is_removed_and_replaced(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        path = f"/providers/{stored_provider['id']}"

        removed = (await client.patch(path, json={"provider": {"apiKey": None}})).json()
        replaced = (await client.patch(path, json={"apiKey": "another-long-key-9876"})).json()

        assert (removed["hasApiKey"], removed["apiKeyHint"]) == (False, None)
        assert (replaced["hasApiKey"], replaced["apiKeyHint"]) == (True, "9876")

    @pytest.mark.parametrize(
        "body",
        [
            {"name": None},
            {"type": None},
            {"models": None},
            {"options": None},
            {"apiKey": ""},
            {"type": "local"},
        ],
    )
    async def test_invalid_values_are_rejected(
        self, client: httpx.AsyncClient, stored_provider: Provider, body: dict[str, Any]
    ) -> None:
        response = await client.patch(f"/providers/{stored_provider['id']}", json=body)

        assert response.status_code == 422
        assert (await client.get(f"/providers/{stored_provider['id']}")).json() == stored_provider

    @ON_SQLITE
    @pytest.mark.parametrize("expected", ['"7"', "7", 'W/"7"'])
    async def test_stale_version_is_rejected(
        self, client: httpx.AsyncClient, stored_provider: Provider, expected: str
    ) -> None:
        headers = {"If-Match": expected}
        path = f"/providers/{stored_provider['id']}"

        patched = await client.patch(path, json={"name": "X"}, headers=headers)
        deleted = await client.delete(path, headers=headers)

        assert (patched.status_code, deleted.status_code) == (412, 412)
        assert patched.json()["version"] == 1
        assert (await client.get(path)).json() == stored_provider

    async def test_one_concurrent_update_succeeds(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        path = f"/providers/{stored_provider['id']}"

        responses = await asyncio.gather(
            *(
                client.patch(path, json={"models": [f"m{number}"]}, headers={"If-Match": '"1"'})
                for number in range(4)
            )
        )

        assert sorted(response.status_code for response in responses) == [200, 412, 412, 412]

    @pytest.mark.parametrize(
        "change",
        [
            {"baseUrl": "https://evil.example/v1"},
            {"baseUrl": "http://api.openai.com/v1"},
            {"baseUrl": "https://api.openai.com:8443/v1"},
            {"type": "groq"},
            {"type": "openai_compatible", "baseUrl": "https://evil.example/v1"},
        ],
    )
    async def test_stored_key_is_not_sent_to_a_new_address(
        self, client: httpx.AsyncClient, stored_provider: Provider, change: dict[str, Any]
    ) -> None:
        path = f"/providers/{stored_provider['id']}"

        rejected = await client.patch(path, json=change)
        unchanged = (await client.get(path)).json()
        accepted = await client.patch(path, json={**change, "apiKey": "another-long-key-9876"})

        assert rejected.status_code == 422
        assert rejected.json()["type"].endswith("/api-key-needed-again")
        assert rejected.json()["errors"][0]["pointer"] == "/apiKey"
        assert unchanged == stored_provider
        assert accepted.status_code == 200

    async def test_key_is_kept_for_the_same_origin(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        response = await client.patch(
            f"/providers/{stored_provider['id']}", json={"baseUrl": "https://API.openai.com:443/v1/"}
        )

        assert response.status_code == 200
        assert response.json()["hasApiKey"] is True

    async def test_address_changes_freely_without_a_key(self, client: httpx.AsyncClient) -> None:
        created = (await client.post("/providers", json={"name": "P", "type": "ollama"})).json()["provider"]

        response = await client.patch(
            f"/providers/{created['id']}", json={"baseUrl": "http://127.0.0.1:11500"}
        )

        assert response.json()["baseUrl"] == "http://127.0.0.1:11500"

    async def test_forbidden_address_and_taken_name_are_rejected(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        await client.post("/providers", json={"name": "Taken", "type": "groq"})
        path = f"/providers/{stored_provider['id']}"

        forbidden = await client.patch(path, json={"baseUrl": "http://169.254.169.254/", "apiKey": None})
        taken = await client.patch(path, json={"name": "Taken"})

        assert (forbidden.status_code, taken.status_code) == (422, 409)

    async def test_options_of_the_old_type_are_removed(self, client: httpx.AsyncClient) -> None:
        body = {"name": "P", "type": "bedrock", "options": {"region": "eu-central-1"}}
        created = (await client.post("/providers", json=body)).json()["provider"]

        changed = (await client.patch(f"/providers/{created['id']}", json={"type": "groq"})).json()

        assert changed["options"] == {"apiVersion": None, "region": None}


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
