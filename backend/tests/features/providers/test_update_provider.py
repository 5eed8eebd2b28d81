"""Updates of providers."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.harness import ON_SQLITE

pytestmark = pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True)

Provider = dict[str, Any]


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

    @pytest.mark.each_database
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
