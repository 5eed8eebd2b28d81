"""The default model of a type."""

import asyncio

import httpx
import pytest

from tests.features.models.requests import Provider, create_model, list_defaults

pytestmark = [
    pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True),
    pytest.mark.each_database,
]


class TestDefault:
    async def test_first_model_of_a_type_is_the_default(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        await create_model(client, stored_provider, "A")
        await create_model(client, stored_provider, "B")
        await create_model(client, stored_provider, "E", type="embedder")

        assert await list_defaults(client) == ["A"]
        assert await list_defaults(client, "embedder") == ["E"]

    async def test_new_default_replaces_the_old_one(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        old = await create_model(client, stored_provider, "A")

        await create_model(client, stored_provider, "B", default=True)

        assert await list_defaults(client) == ["B"]
        assert (await client.get(f"/models/{old['id']}")).json()["version"] == 2

    async def test_patch_sets_and_clears_the_default(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        await create_model(client, stored_provider, "A")
        second = await create_model(client, stored_provider, "B")
        path = f"/models/{second['id']}"

        changed = (await client.patch(path, json={"default": True})).json()
        after_change = await list_defaults(client)
        again = (await client.patch(path, json={"default": True})).json()
        after_again = await list_defaults(client)
        await client.patch(path, json={"default": False})

        assert (changed["default"], again["default"]) == (True, True)
        assert (after_change, after_again) == (["B"], ["B"])
        assert await list_defaults(client) == []

    async def test_concurrent_changes_leave_one_default(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        models = [await create_model(client, stored_provider, f"M{number}") for number in range(4)]

        responses = await asyncio.gather(
            *(client.patch(f"/models/{model['id']}", json={"default": True}) for model in models),
            *(
                client.post(
                    "/models", json={"name": f"N{n}", "providerId": stored_provider["id"], "default": True}
                )
                for n in range(4)
            ),
        )

        assert {response.status_code for response in responses} == {200, 201}
        assert len(await list_defaults(client)) == 1

    async def test_concurrent_first_models_have_one_default(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        responses = await asyncio.gather(
            *(
                client.post("/models", json={"name": f"N{n}", "providerId": stored_provider["id"]})
                for n in range(5)
            )
        )

        assert {response.status_code for response in responses} == {201}
        assert len(await list_defaults(client)) == 1

    async def test_rejected_change_keeps_the_default(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        await create_model(client, stored_provider, "A")

        rejected = await client.post(
            "/models", json={"name": "A", "providerId": stored_provider["id"], "default": True}
        )

        assert rejected.status_code == 409
        assert await list_defaults(client) == ["A"]
