"""Creation of models."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from tests.features.models.requests import Provider
from tests.support.catalog import PROVIDER_KEY, CatalogHarness
from tests.support.harness import ON_SQLITE

pytestmark = pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True)


class TestCreate:
    async def test_returns_the_model(self, client: httpx.AsyncClient, stored_provider: Provider) -> None:
        body = {
            "name": "smart",
            "type": "llm",
            "providerId": stored_provider["id"],
            "providerModel": "gpt-4o",
            "settings": {
                "temperature": 0.2,
                "maxTokens": 1000,
                "extraBody": {"top_k": 5},
                "stream": False,
                "omitParameters": ["stop"],
            },
            "capabilities": {"tools": True, "json": True, "contextWindow": 128000},
            "pricing": {"inputPerMillion": "2.50", "outputPerMillion": 10},
        }

        response = await client.post("/models", json={"model": body})

        created = response.json()["model"]
        assert response.status_code == 201
        assert response.headers["ETag"] == '"1"'
        assert created["id"].startswith("mdl_")
        assert created["providerName"] == "OpenAI"
        assert created["providerType"] == "openai"
        assert created["providerModel"] == "gpt-4o"
        assert created["settings"]["temperature"] == 0.2
        assert created["settings"]["extraBody"] == {"top_k": 5}
        assert created["settings"]["stream"] is False
        assert created["settings"]["omitParameters"] == ["stop"]
        assert created["capabilities"] == {
            "tools": True,
            "vision": None,
            "json": True,
            "contextWindow": 128000,
        }
        assert created["pricing"] == {"inputPerMillion": "2.50", "outputPerMillion": "10", "currency": "USD"}
        assert created["description"] is None
        assert (await client.get(f"/models/{created['id']}")).json() == created
        assert (await client.get("/models")).json()["models"] == [created]
        assert PROVIDER_KEY not in response.text

    async def test_minimal_bare_body(self, client: httpx.AsyncClient, stored_provider: Provider) -> None:
        response = await client.post("/models", json={"name": "gpt-4o", "provider_id": stored_provider["id"]})

        created = response.json()["model"]
        assert (created["type"], created["providerModel"], created["pricing"]) == ("llm", "gpt-4o", None)

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            ({"endpoint": "/v1/chat/completions"}, ("smart", "/v1/chat/completions")),
            ({"endpoint": "https://host/v1", "providerModel": "gpt-4o"}, ("gpt-4o", "https://host/v1")),
            ({"endpoint": "gpt-4o"}, ("gpt-4o", None)),
            ({"providerModel": "/models/a.gguf"}, ("/models/a.gguf", None)),
        ],
    )
    async def test_endpoint_is_kept_and_never_the_name_at_the_provider(
        self,
        client: httpx.AsyncClient,
        catalog: CatalogHarness,
        stored_provider: Provider,
        sent: dict[str, str],
        stored: tuple[str, str | None],
    ) -> None:
        body = {"name": "smart", "providerId": stored_provider["id"], **sent}

        created = (await client.post("/models", json={"model": body})).json()["model"]

        bindings = await catalog.models(lambda models: models.get_bindings(BUILTIN_WORKSPACE, ["smart"]))
        assert (created["providerModel"], created["endpoint"]) == stored
        assert bindings["smart"].model == stored[0]

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"name": " "}, "/model/name"),
            ({"type": "oracle"}, "/model/type"),
            ({"providerModel": "a\u0000b"}, "/model/providerModel"),
            ({"settings": {"temperature": 9}}, "/model/settings/temperature"),
            ({"settings": {"topK": 9}}, "/model/settings/topK"),
            ({"settings": {"omitParameters": ["model"]}}, "/model/settings/omitParameters/0"),
            ({"settings": {"extraBody": {"a": "\u0000"}}}, "/model/settings"),
            ({"settings": {"extraBody": {"\ud800": 1}}}, "/model/settings"),
            ({"settings": {"stop": ["\u0000"]}}, "/model/settings"),
            ({"capabilities": {"contextWindow": 0}}, "/model/capabilities/contextWindow"),
            ({"pricing": {"inputPerMillion": -1, "outputPerMillion": 1}}, "/model/pricing/inputPerMillion"),
            ({"pricing": {"inputPerMillion": "1e99", "outputPerMillion": 1}}, "/model/pricing"),
            ({"pricing": {"inputPerMillion": "1e-99", "outputPerMillion": 1}}, "/model/pricing"),
            (
                {"pricing": {"inputPerMillion": "NaN", "outputPerMillion": 1}},
                "/model/pricing/inputPerMillion",
            ),
            ({"providerId": "prov_unknown"}, "/providerId"),
            ({"providerId": "\u0000"}, "/providerId"),
            ({"modle": 1}, "/model/modle"),
        ],
    )
    async def test_invalid_field_is_named(
        self, client: httpx.AsyncClient, stored_provider: Provider, change: dict[str, Any], pointer: str
    ) -> None:
        body = {"name": "M", "providerId": stored_provider["id"], **change}
        body_text = json.dumps({"model": body})  # encoded here: httpx rejects surrogates

        response = await client.post(
            "/models", content=body_text, headers={"Content-Type": "application/json"}
        )

        assert response.status_code == 422, response.text
        assert pointer in [error["pointer"] for error in response.json()["errors"]]

    @ON_SQLITE
    @pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
    async def test_non_finite_numbers_are_rejected(
        self, client: httpx.AsyncClient, stored_provider: Provider, number: str
    ) -> None:
        settings = f'{{"extraBody": {{"a": {number}}}}}'
        body_text = f'{{"name": "M", "providerId": "{stored_provider["id"]}", "settings": {settings}}}'

        response = await client.post(
            "/models", content=body_text, headers={"Content-Type": "application/json"}
        )

        assert response.status_code == 422

    async def test_name_is_unique(self, client: httpx.AsyncClient, stored_provider: Provider) -> None:
        body = {"name": "M", "providerId": stored_provider["id"]}

        responses = await asyncio.gather(*(client.post("/models", json=body) for _ in range(4)))

        assert sorted(response.status_code for response in responses) == [201, 409, 409, 409]
        rejected = next(response for response in responses if response.status_code == 409)
        assert rejected.json()["type"].endswith("/model-name-taken")

    async def test_idempotency_key_creates_one_model(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        body = {"name": "M", "providerId": stored_provider["id"]}
        headers = {"Idempotency-Key": "once"}

        responses = await asyncio.gather(
            *(client.post("/models", json=body, headers=headers) for _ in range(4))
        )
        other = await client.post("/models", json={**body, "name": "N"}, headers=headers)

        assert {response.status_code for response in responses} == {201}
        assert len({response.text for response in responses}) == 1
        assert other.status_code == 409
