"""Creation of providers."""

import asyncio
from typing import Any

import httpx
import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.wiring.container import Container
from tests.support.catalog import PROVIDER_KEY
from tests.support.harness import ON_SQLITE
from tests.support.principals import auth_headers

pytestmark = pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True)

Provider = dict[str, Any]


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
            "api_key": "lm-studio1",
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
        ("key", "reason"),
        [
            ("sk-1234", "too short"),
            ("completed", "a word"),
            ("task.completed", "a word"),
            ("delegation.completed", "a word"),
            ("12345678", "a number"),
            ("aaaaaaaa1", "same few"),
            ('"seq":12,"type"', "JSON"),
            ("http://127.0.0.1:8000", "a URL"),
        ],
    )
    async def test_key_that_occurs_in_normal_text_is_refused(
        self, client: httpx.AsyncClient, key: str, reason: str
    ) -> None:
        body = {"name": "P", "type": "openai", "apiKey": key}

        response = await client.post("/providers", json={"provider": body})

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/provider/apiKey"
        assert reason in response.json()["detail"]
        assert key not in response.text

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
            ({"type": "bedrock", "apiKey": "no-colon-1234"}, "/apiKey"),
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

    @pytest.mark.each_database
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
