"""Endpoints of models."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.features.providers.catalog.provider_catalog import ProviderCatalog
from crewai_runner.wiring.container import Container
from tests.features.models.requests import Provider, create_model
from tests.support.catalog import CatalogHarness
from tests.support.harness import ON_SQLITE
from tests.support.principals import OWNER, auth_headers

pytestmark = pytest.mark.harness(seed_models=False, fake_local_model=True, allow_private_hosts=True)


def routes(model_id: str, provider_id: str) -> list[tuple[str, str, Any]]:
    return [
        ("GET", "/models", None),
        ("POST", "/models", {"name": "New", "providerId": provider_id}),
        ("GET", f"/models/{model_id}", None),
        ("PATCH", f"/models/{model_id}", {"name": "Other"}),
        ("DELETE", f"/models/{model_id}", None),
    ]


@ON_SQLITE
class TestAuthorization:
    @pytest.mark.parametrize("index", range(5))
    async def test_invalid_token_gets_401(
        self, client: httpx.AsyncClient, stored_provider: Provider, index: int
    ) -> None:
        model = await create_model(client, stored_provider, "M")
        method, path, body = routes(model["id"], stored_provider["id"])[index]

        response = await client.request(method, path, json=body, headers={"Authorization": "Bearer wrong"})

        assert response.status_code == 401

    @pytest.mark.parametrize("index", [2, 3, 4])
    async def test_other_workspace_gets_404(
        self, client: httpx.AsyncClient, stored_provider: Provider, index: int
    ) -> None:
        model = await create_model(client, stored_provider, "M")
        method, path, body = routes(model["id"], stored_provider["id"])[index]

        response = await client.request(method, path, json=body, headers=auth_headers("stranger"))

        assert response.status_code == 404
        assert response.json()["type"].endswith("/model-not-found")
        assert (await client.get(f"/models/{model['id']}")).json() == model

    async def test_other_workspace_cannot_use_the_provider(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        body = {"name": "M", "providerId": stored_provider["id"]}

        response = await client.post("/models", json=body, headers=auth_headers("stranger"))
        models = await client.get("/models", headers=auth_headers("stranger"))

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/providerId"
        assert models.json() == {"models": [], "nextCursor": None}

    async def test_other_workspace_cannot_move_a_model_to_the_provider(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        own = await client.post(
            "/providers", json={"name": "P", "type": "groq"}, headers=auth_headers("stranger")
        )
        body = {"name": "M", "providerId": own.json()["provider"]["id"]}
        mine = await client.post("/models", json=body, headers=auth_headers("stranger"))

        response = await client.patch(
            f"/models/{mine.json()['model']['id']}",
            json={"providerId": stored_provider["id"]},
            headers=auth_headers("stranger"),
        )

        assert response.status_code == 422

    async def test_other_workspace_cannot_list_by_the_provider(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        await create_model(client, stored_provider, "M")

        response = await client.get(
            "/models", params={"providerId": stored_provider["id"]}, headers=auth_headers("stranger")
        )

        assert response.json()["models"] == []

    @pytest.mark.parametrize("index", [1, 3, 4])
    async def test_reader_cannot_change(
        self, client: httpx.AsyncClient, stored_provider: Provider, index: int
    ) -> None:
        model = await create_model(client, stored_provider, "M")
        method, path, body = routes(model["id"], stored_provider["id"])[index]

        response = await client.request(method, path, json=body, headers=auth_headers("catalog-reader"))

        assert response.status_code == 403


class TestGet:
    @pytest.mark.parametrize("invalid_id", ["prov_1", "mdl_", "mdl_%00", "mdl_" + "1" * 300])
    async def test_invalid_id_gets_404(self, client: httpx.AsyncClient, invalid_id: str) -> None:
        assert (await client.get(f"/models/{invalid_id}")).status_code == 404


class TestUpdate:
    async def test_keeps_fields_that_are_not_sent(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        model = await create_model(
            client,
            stored_provider,
            "A",
            providerModel="gpt-4o",
            settings={"seed": 7},
            capabilities={"tools": True},
        )

        response = await client.patch(
            f"/models/{model['id']}",
            json={"model": {"name": "B", "settings": {"seed": 8}}},
            headers={"If-Match": '"1"'},
        )

        changed = response.json()
        assert response.headers["ETag"] == '"2"'
        assert (changed["name"], changed["providerModel"], changed["version"]) == ("B", "gpt-4o", 2)
        assert changed["settings"]["seed"] == 8
        assert changed["capabilities"]["tools"] is True
        assert changed["default"] is True

    async def test_null_resets_provider_model_and_pricing(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        prices = {"inputPerMillion": 1, "outputPerMillion": 1}
        model = await create_model(client, stored_provider, "A", providerModel="gpt-4o", pricing=prices)

        changed = (
            await client.patch(f"/models/{model['id']}", json={"providerModel": None, "pricing": None})
        ).json()

        assert (changed["providerModel"], changed["pricing"]) == ("A", None)

    async def test_moves_to_another_provider(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        model = await create_model(client, stored_provider, "A")
        other = (await client.post("/providers", json={"name": "Groq", "type": "groq"})).json()["provider"]

        changed = (await client.patch(f"/models/{model['id']}", json={"providerId": other["id"]})).json()

        assert changed["providerName"] == "Groq"

    async def test_stale_taken_and_invalid_changes_are_rejected(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        await create_model(client, stored_provider, "A")
        model = await create_model(client, stored_provider, "B")
        path = f"/models/{model['id']}"

        stale = await client.patch(path, json={"name": "C"}, headers={"If-Match": '"9"'})
        stale_delete = await client.delete(path, headers={"If-Match": '"9"'})
        taken = await client.patch(path, json={"name": "A"})
        nowhere = await client.patch(path, json={"providerId": "prov_none"})
        typed = await client.patch(path, json={"type": "embedder"})
        nameless = await client.patch(path, json={"name": None})

        codes = [r.status_code for r in (stale, stale_delete, taken, nowhere, typed, nameless)]
        assert codes == [412, 412, 409, 422, 422, 422]
        assert (await client.get(path)).json() == model


class TestListAndDelete:
    async def test_filters_and_pages(self, client: httpx.AsyncClient, stored_provider: Provider) -> None:
        other = (await client.post("/providers", json={"name": "Groq", "type": "groq"})).json()["provider"]
        for number in range(3):
            await create_model(client, stored_provider, f"A{number}")
        await create_model(client, other, "G")
        await create_model(client, stored_provider, "E", type="embedder")

        first = (await client.get("/models", params={"limit": 3})).json()
        rest = (await client.get("/models", params={"limit": 3, "cursor": first["nextCursor"]})).json()
        theirs = (await client.get("/models", params={"providerId": other["id"]})).json()
        embedders = (await client.get("/models", params={"type": "embedder"})).json()
        foreign = await client.get("/models", params={"cursor": "WyJcdTAwMDAiXQ"})

        paged = [model["name"] for model in first["models"] + rest["models"]]
        assert sorted(paged) == ["A0", "A1", "A2", "E", "G"]
        assert rest["nextCursor"] is None
        assert [model["name"] for model in theirs["models"]] == ["G"]
        assert [model["name"] for model in embedders["models"]] == ["E"]
        assert foreign.status_code == 400

    async def test_deleted_model_is_not_found(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        path = f"/models/{(await create_model(client, stored_provider, 'A'))['id']}"

        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404

    async def test_cannot_move_to_a_provider_being_deleted(
        self, client: httpx.AsyncClient, stored_provider: Provider, container: Container
    ) -> None:
        model = await create_model(client, stored_provider, "M")
        deleted_provider = (await client.post("/providers", json={"name": "P", "type": "groq"})).json()[
            "provider"
        ]
        async with unit_of_work(container.sessions) as session:
            editor = ProviderCatalog(session, container.provider_deps())
            await editor.delete(OWNER, deleted_provider["id"], force=False, expected=None)

            update = asyncio.create_task(
                client.patch(f"/models/{model['id']}", json={"providerId": deleted_provider["id"]})
            )
            await _wait_until_locked(container, update)

        assert (await update).status_code == 422
        assert (await client.get(f"/models/{model['id']}")).json() == model

    @pytest.mark.each_database
    async def test_concurrent_provider_deletion_leaves_no_orphan(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        created, deleted = await asyncio.gather(
            client.post("/models", json={"name": "M", "providerId": stored_provider["id"]}),
            client.delete(f"/providers/{stored_provider['id']}"),
        )

        assert (created.status_code, deleted.status_code) in {(201, 409), (422, 204)}


COUNT_WAITING_SESSIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def _wait_until_locked(container: Container, task: asyncio.Task[Any]) -> None:
    """Wait until the task's session waits for a lock; on SQLite it cannot begin its transaction."""
    waiting = container.sessions.kw["bind"].dialect.name == "sqlite"
    while not waiting and not task.done():
        async with read_session(
            container.sessions
        ) as session:  # a new session: a transaction sees one snapshot
            waiting = bool(await session.scalar(COUNT_WAITING_SESSIONS))


@ON_SQLITE
class TestBuiltInModel:
    async def test_is_described_and_cannot_be_deleted_while_available(
        self, client: httpx.AsyncClient, catalog: CatalogHarness, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:1/v1", "token-of-the-model")
        model_id = await catalog.models(lambda models: models.ensure_local())
        path = f"/models/{model_id}"

        model = (await client.get(path)).json()
        renamed = await client.patch(path, json={"name": "demo", "settings": {"temperature": 0}})
        other_model = await client.patch(path, json={"providerModel": "gpt-4o"})
        rejected = await client.delete(path)
        container.local_model.reason = "gone"
        deleted = await client.delete(path)

        assert (model["name"], model["providerModel"], model["default"]) == (
            "smollm2-135m",
            "smollm2-135m",
            True,
        )
        assert model["capabilities"] == {
            "tools": False,
            "vision": False,
            "json": False,
            "contextWindow": 8192,
        }
        assert model["pricing"] == {"inputPerMillion": "0", "outputPerMillion": "0", "currency": "USD"}
        assert "demo model" in model["description"]
        assert [r.status_code for r in (renamed, other_model, rejected, deleted)] == [200, 422, 409, 204]
        assert rejected.json()["type"].endswith("/model-built-in")

    async def test_built_in_provider_accepts_no_other_model(
        self, client: httpx.AsyncClient, catalog: CatalogHarness, container: Container
    ) -> None:
        provider_id = await catalog.providers(lambda providers: providers.ensure_local())

        llm = await client.post("/models", json={"name": "gpt-4o", "providerId": provider_id})
        embedder = await client.post(
            "/models", json={"name": "smollm2-135m", "type": "embedder", "providerId": provider_id}
        )

        assert (llm.status_code, embedder.status_code) == (422, 422)


class TestETag:
    async def test_changes_with_the_name_of_the_provider_that_it_shows(
        self, client: httpx.AsyncClient, stored_provider: Provider
    ) -> None:
        model = await create_model(client, stored_provider, "some")
        before = await client.get(f"/models/{model['id']}")

        await client.patch(f"/providers/{stored_provider['id']}", json={"name": "Renamed"})
        after = await client.get(f"/models/{model['id']}")
        await client.patch(f"/providers/{stored_provider['id']}", json={"models": ["another"]})
        same = await client.get(f"/models/{model['id']}")

        assert before.json()["providerName"] != after.json()["providerName"]
        assert before.headers["ETag"] != after.headers["ETag"]
        assert same.text == after.text
        assert same.headers["ETag"] == after.headers["ETag"]
