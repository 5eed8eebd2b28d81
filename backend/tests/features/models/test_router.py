"""Models over HTTP."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.features.providers.editor import ProviderEditor
from crewai_runner.wiring.container import Container
from tests.support.catalog import CANARY, ON_SQLITE, OWNER, Catalog, parts_of, speaking_for

Provider = dict[str, Any]


async def register(client: httpx.AsyncClient, provider: Provider, name: str, **fields: Any) -> dict[str, Any]:
    body = {"name": name, "providerId": provider["id"], **fields}
    response = await client.post("/models", json={"model": body})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()["model"]
    return made


async def defaults(client: httpx.AsyncClient, kind: str = "llm") -> list[str]:
    listed = (await client.get("/models", params={"type": kind})).json()["models"]
    return [model["name"] for model in listed if model["default"]]


def routes(model_id: str, provider_id: str) -> list[tuple[str, str, Any]]:
    return [
        ("GET", "/models", None),
        ("POST", "/models", {"name": "New", "providerId": provider_id}),
        ("GET", f"/models/{model_id}", None),
        ("PATCH", f"/models/{model_id}", {"name": "Other"}),
        ("DELETE", f"/models/{model_id}", None),
    ]


@ON_SQLITE
class TestDoors:
    @pytest.mark.parametrize("index", range(5))
    async def test_nobody_comes_in_without_a_token(
        self, client: httpx.AsyncClient, provider: Provider, index: int
    ) -> None:
        model = await register(client, provider, "M")
        method, path, body = routes(model["id"], provider["id"])[index]

        response = await client.request(method, path, json=body, headers={"Authorization": "Bearer wrong"})

        assert response.status_code == 401

    @pytest.mark.parametrize("index", [2, 3, 4])
    async def test_a_strangers_model_does_not_exist(
        self, client: httpx.AsyncClient, provider: Provider, index: int
    ) -> None:
        model = await register(client, provider, "M")
        method, path, body = routes(model["id"], provider["id"])[index]

        response = await client.request(method, path, json=body, headers=speaking_for("stranger"))

        assert response.status_code == 404
        assert response.json()["type"].endswith("/model-not-found")
        assert (await client.get(f"/models/{model['id']}")).json() == model

    async def test_a_stranger_hangs_no_model_on_anothers_provider(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        body = {"name": "M", "providerId": provider["id"]}

        response = await client.post("/models", json=body, headers=speaking_for("stranger"))
        listed = await client.get("/models", headers=speaking_for("stranger"))

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/providerId"
        assert listed.json() == {"models": [], "nextCursor": None}

    async def test_nor_moves_one_there(self, client: httpx.AsyncClient, provider: Provider) -> None:
        own = await client.post(
            "/providers", json={"name": "P", "type": "groq"}, headers=speaking_for("stranger")
        )
        body = {"name": "M", "providerId": own.json()["provider"]["id"]}
        mine = await client.post("/models", json=body, headers=speaking_for("stranger"))

        response = await client.patch(
            f"/models/{mine.json()['model']['id']}",
            json={"providerId": provider["id"]},
            headers=speaking_for("stranger"),
        )

        assert response.status_code == 422

    async def test_a_strangers_filter_by_anothers_provider_finds_nothing(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        await register(client, provider, "M")

        response = await client.get(
            "/models", params={"providerId": provider["id"]}, headers=speaking_for("stranger")
        )

        assert response.json()["models"] == []

    @pytest.mark.parametrize("index", [1, 3, 4])
    async def test_who_may_only_read_changes_nothing(
        self, client: httpx.AsyncClient, provider: Provider, index: int
    ) -> None:
        model = await register(client, provider, "M")
        method, path, body = routes(model["id"], provider["id"])[index]

        response = await client.request(method, path, json=body, headers=speaking_for("reader"))

        assert response.status_code == 403


@pytest.mark.parametrize("strange", ["prov_1", "mdl_", "mdl_%00", "mdl_" + "1" * 300])
async def test_an_id_that_is_none_is_not_found(client: httpx.AsyncClient, strange: str) -> None:
    assert (await client.get(f"/models/{strange}")).status_code == 404


class TestCreate:
    async def test_gives_back_the_whole_model(self, client: httpx.AsyncClient, provider: Provider) -> None:
        body = {
            "name": "smart",
            "type": "llm",
            "providerId": provider["id"],
            "endpoint": "gpt-4o",
            "settings": {"temperature": 0.2, "maxTokens": 1000, "extraBody": {"top_k": 5}},
            "capabilities": {"tools": True, "json": True, "contextWindow": 128000},
            "pricing": {"inputPerMillion": "2.50", "outputPerMillion": 10},
        }

        response = await client.post("/models", json={"model": body})

        made = response.json()["model"]
        assert response.status_code == 201
        assert response.headers["ETag"] == '"1"'
        assert made["id"].startswith("mdl_")
        assert made["providerName"] == "OpenAI"
        assert made["providerType"] == "openai"
        assert made["endpoint"] == "gpt-4o"
        assert made["settings"]["temperature"] == 0.2
        assert made["settings"]["extraBody"] == {"top_k": 5}
        assert made["capabilities"] == {
            "tools": True,
            "vision": None,
            "json": True,
            "contextWindow": 128000,
        }
        assert made["pricing"] == {"inputPerMillion": "2.50", "outputPerMillion": "10", "currency": "USD"}
        assert made["description"] is None
        assert (await client.get(f"/models/{made['id']}")).json() == made
        assert (await client.get("/models")).json()["models"] == [made]
        assert CANARY not in response.text

    async def test_needs_a_name_and_a_provider_only_and_may_be_bare(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        response = await client.post("/models", json={"name": "gpt-4o", "provider_id": provider["id"]})

        made = response.json()["model"]
        assert (made["type"], made["endpoint"], made["pricing"]) == ("llm", "gpt-4o", None)

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"name": " "}, "/model/name"),
            ({"type": "oracle"}, "/model/type"),
            ({"endpoint": "a\u0000b"}, "/model/endpoint"),
            ({"settings": {"temperature": 9}}, "/model/settings/temperature"),
            ({"settings": {"topK": 9}}, "/model/settings/topK"),
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
    async def test_names_the_field_that_is_wrong(
        self, client: httpx.AsyncClient, provider: Provider, change: dict[str, Any], pointer: str
    ) -> None:
        body = {"name": "M", "providerId": provider["id"], **change}
        body_text = json.dumps({"model": body})  # by hand: the client itself would choke on half a character

        response = await client.post(
            "/models", content=body_text, headers={"Content-Type": "application/json"}
        )

        assert response.status_code == 422, response.text
        assert pointer in [error["pointer"] for error in response.json()["errors"]]

    @ON_SQLITE
    @pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity"])
    async def test_refuses_numbers_that_json_does_not_know(
        self, client: httpx.AsyncClient, provider: Provider, number: str
    ) -> None:
        settings = f'{{"extraBody": {{"a": {number}}}}}'
        body_text = f'{{"name": "M", "providerId": "{provider["id"]}", "settings": {settings}}}'

        response = await client.post(
            "/models", content=body_text, headers={"Content-Type": "application/json"}
        )

        assert response.status_code == 422

    async def test_a_name_is_taken_once(self, client: httpx.AsyncClient, provider: Provider) -> None:
        body = {"name": "M", "providerId": provider["id"]}

        answers = await asyncio.gather(*(client.post("/models", json=body) for _ in range(4)))

        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["type"].endswith("/model-name-taken")

    async def test_the_same_idempotency_key_makes_one_model(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        body = {"name": "M", "providerId": provider["id"]}
        headers = {"Idempotency-Key": "once"}

        answers = await asyncio.gather(
            *(client.post("/models", json=body, headers=headers) for _ in range(4))
        )
        other = await client.post("/models", json={**body, "name": "N"}, headers=headers)

        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert other.status_code == 409


class TestDefault:
    async def test_the_first_of_a_type_is_the_default(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        await register(client, provider, "A")
        await register(client, provider, "B")
        await register(client, provider, "E", type="embedder")

        assert await defaults(client) == ["A"]
        assert await defaults(client, "embedder") == ["E"]

    async def test_a_new_default_takes_the_old_ones_place(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        old = await register(client, provider, "A")

        await register(client, provider, "B", default=True)

        assert await defaults(client) == ["B"]
        assert (await client.get(f"/models/{old['id']}")).json()["version"] == 2

    async def test_is_changed_and_taken_away_by_patch(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        await register(client, provider, "A")
        second = await register(client, provider, "B")
        path = f"/models/{second['id']}"

        changed = (await client.patch(path, json={"default": True})).json()
        after_change = await defaults(client)
        again = (await client.patch(path, json={"default": True})).json()
        after_again = await defaults(client)
        await client.patch(path, json={"default": False})

        assert (changed["default"], again["default"]) == (True, True)
        assert (after_change, after_again) == (["B"], ["B"])
        assert await defaults(client) == []

    async def test_many_at_once_leave_exactly_one(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        models = [await register(client, provider, f"M{number}") for number in range(4)]

        answers = await asyncio.gather(
            *(client.patch(f"/models/{model['id']}", json={"default": True}) for model in models),
            *(
                client.post("/models", json={"name": f"N{n}", "providerId": provider["id"], "default": True})
                for n in range(4)
            ),
        )

        assert {answer.status_code for answer in answers} == {200, 201}
        assert len(await defaults(client)) == 1

    async def test_of_many_first_ones_at_once_exactly_one_is_the_default(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        answers = await asyncio.gather(
            *(client.post("/models", json={"name": f"N{n}", "providerId": provider["id"]}) for n in range(5))
        )

        assert {answer.status_code for answer in answers} == {201}
        assert len(await defaults(client)) == 1

    async def test_a_refused_change_leaves_the_old_default(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        await register(client, provider, "A")

        refused = await client.post(
            "/models", json={"name": "A", "providerId": provider["id"], "default": True}
        )

        assert refused.status_code == 409
        assert await defaults(client) == ["A"]


class TestUpdate:
    async def test_keeps_what_is_not_sent(self, client: httpx.AsyncClient, provider: Provider) -> None:
        model = await register(
            client, provider, "A", endpoint="gpt-4o", settings={"seed": 7}, capabilities={"tools": True}
        )

        response = await client.patch(
            f"/models/{model['id']}",
            json={"model": {"name": "B", "settings": {"seed": 8}}},
            headers={"If-Match": '"1"'},
        )

        changed = response.json()
        assert response.headers["ETag"] == '"2"'
        assert (changed["name"], changed["endpoint"], changed["version"]) == ("B", "gpt-4o", 2)
        assert changed["settings"]["seed"] == 8
        assert changed["capabilities"]["tools"] is True
        assert changed["default"] is True

    async def test_null_goes_back_to_the_name_and_to_unknown_prices(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        prices = {"inputPerMillion": 1, "outputPerMillion": 1}
        model = await register(client, provider, "A", endpoint="gpt-4o", pricing=prices)

        changed = (
            await client.patch(f"/models/{model['id']}", json={"endpoint": None, "pricing": None})
        ).json()

        assert (changed["endpoint"], changed["pricing"]) == ("A", None)

    async def test_moves_to_another_provider(self, client: httpx.AsyncClient, provider: Provider) -> None:
        model = await register(client, provider, "A")
        other = (await client.post("/providers", json={"name": "Groq", "type": "groq"})).json()["provider"]

        changed = (await client.patch(f"/models/{model['id']}", json={"providerId": other["id"]})).json()

        assert changed["providerName"] == "Groq"

    async def test_refuses_stale_taken_and_impossible_changes(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        await register(client, provider, "A")
        model = await register(client, provider, "B")
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
    async def test_filters_and_pages(self, client: httpx.AsyncClient, provider: Provider) -> None:
        other = (await client.post("/providers", json={"name": "Groq", "type": "groq"})).json()["provider"]
        for number in range(3):
            await register(client, provider, f"A{number}")
        await register(client, other, "G")
        await register(client, provider, "E", type="embedder")

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

    async def test_is_gone_when_deleted(self, client: httpx.AsyncClient, provider: Provider) -> None:
        path = f"/models/{(await register(client, provider, 'A'))['id']}"

        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404

    async def test_is_not_moved_to_a_provider_that_is_just_being_deleted(
        self, client: httpx.AsyncClient, provider: Provider, container: Container
    ) -> None:
        model = await register(client, provider, "M")
        leaving = (await client.post("/providers", json={"name": "P", "type": "groq"})).json()["provider"]
        async with unit_of_work(container.sessions) as session:
            editor = ProviderEditor(session, **parts_of(container))
            await editor.delete(OWNER, leaving["id"], force=False, expected=None)

            moving = asyncio.create_task(
                client.patch(f"/models/{model['id']}", json={"providerId": leaving["id"]})
            )
            await _waits_for_a_lock(container, moving)

        assert (await moving).status_code == 422
        assert (await client.get(f"/models/{model['id']}")).json() == model

    async def test_a_model_and_the_end_of_its_provider_at_once_leave_no_orphan(
        self, client: httpx.AsyncClient, provider: Provider
    ) -> None:
        made, deleted = await asyncio.gather(
            client.post("/models", json={"name": "M", "providerId": provider["id"]}),
            client.delete(f"/providers/{provider['id']}"),
        )

        assert (made.status_code, deleted.status_code) in {(201, 409), (422, 204)}


WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def _waits_for_a_lock(container: Container, task: asyncio.Task[Any]) -> None:
    """Return when the task's session waits for one; on SQLite it cannot even begin to write."""
    waiting = container.sessions.kw["bind"].dialect.name == "sqlite"
    while not waiting and not task.done():
        async with read_session(
            container.sessions
        ) as session:  # a new one: a transaction sees one state only
            waiting = bool(await session.scalar(WAITING))


@ON_SQLITE
class TestBuiltIn:
    async def test_is_what_it_says_and_stays_while_available(
        self, client: httpx.AsyncClient, catalog: Catalog, container: Container
    ) -> None:
        container.local_model.serve("http://127.0.0.1:1/v1", "token-of-the-model")
        model_id = await catalog.models(lambda models: models.ensure_local())
        path = f"/models/{model_id}"

        model = (await client.get(path)).json()
        renamed = await client.patch(path, json={"name": "demo", "settings": {"temperature": 0}})
        bent = await client.patch(path, json={"endpoint": "gpt-4o"})
        refused = await client.delete(path)
        container.local_model.reason = "gone"
        deleted = await client.delete(path)

        assert (model["name"], model["endpoint"], model["default"]) == ("smollm2-135m", "smollm2-135m", True)
        assert model["capabilities"] == {
            "tools": False,
            "vision": False,
            "json": False,
            "contextWindow": 8192,
        }
        assert model["pricing"] == {"inputPerMillion": "0", "outputPerMillion": "0", "currency": "USD"}
        assert "demo model" in model["description"]
        assert [r.status_code for r in (renamed, bent, refused, deleted)] == [200, 422, 409, 204]
        assert refused.json()["type"].endswith("/model-built-in")

    async def test_its_provider_has_no_other_model(
        self, client: httpx.AsyncClient, catalog: Catalog, container: Container
    ) -> None:
        provider_id = await catalog.providers(lambda providers: providers.ensure_local())

        llm = await client.post("/models", json={"name": "gpt-4o", "providerId": provider_id})
        embedder = await client.post(
            "/models", json={"name": "smollm2-135m", "type": "embedder", "providerId": provider_id}
        )

        assert (llm.status_code, embedder.status_code) == (422, 422)
