"""OpenAPI documents as tools: endpoints, and what a run gets."""

import json
from typing import Any

import httpx
import pytest

from crewai_runner.db.session import read_session
from crewai_runner.wiring.container import Container
from tests.contract.example_bodies import OPENAPI_DOCUMENT
from tests.support.harness import ON_SQLITE
from tests.support.principals import auth_headers
from tests.support.scripted_service import Reply, ScriptedService

pytestmark = pytest.mark.harness(seed_models=False, allow_private_hosts=True)
KEY = "api-canary-5f2c9e81d07b4a36"


def body(**changes: Any) -> dict[str, Any]:
    made = {"name": "shop", "document": json.dumps(OPENAPI_DOCUMENT), "operations": ["getItem"]}
    return {name: value for name, value in (made | changes).items() if value is not None}


async def create(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    response = await client.post("/apis", json=body(**changes))
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()["api"]
    return created


async def connect(client: httpx.AsyncClient, url: str, **options: Any) -> str:
    connection = {"name": "Shop", "kind": "http", "baseUrl": url, "secret": KEY, "options": options}
    response = await client.post("/connections", json=connection)
    assert response.status_code == 201, response.text
    return str(response.json()["connection"]["id"])


async def try_tool(
    client: httpx.AsyncClient, tool: str = "api:shop/getItem", **arguments: Any
) -> dict[str, Any]:
    response = await client.post("/tools/try", json={"tool": tool, "arguments": arguments})
    found: dict[str, Any] = response.json()
    return found


class TestPreview:
    async def test_lists_operations(self, client: httpx.AsyncClient) -> None:
        response = await client.post("/apis/preview", json={"document": json.dumps(OPENAPI_DOCUMENT)})

        assert response.status_code == 200, response.text
        [operation] = response.json()["operations"]
        assert (operation["id"], operation["path"], operation["problem"]) == ("getItem", "/items/{id}", None)

    @ON_SQLITE
    async def test_yaml_by_address(self, client: httpx.AsyncClient) -> None:
        text = b"openapi: 3.0.0\npaths:\n  /items:\n    get: {operationId: list, x-since: 2020-01-01}\n"
        with ScriptedService(Reply(text, content_type="application/yaml")) as service:
            response = await client.post("/apis/preview", json={"url": f"{service.url}/openapi.yaml"})

        assert response.json()["operations"][0]["id"] == "list"

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("source", "pointer"),
        [
            ({"document": "a: [b"}, "/document"),
            ({"document": "just text"}, "/document"),
            ({"document": "a: &a [x, x]\nb: &b [*a, *a]\n" + "c: [*b, *b]"}, "/document"),
            ({"document": "[" * 5_000}, "/document"),
            ({"document": "!!python/object/apply:os.system ['true']"}, "/document"),
            ({"url": "http://169.254.169.254/latest"}, "/url"),
            ({"url": "file:///etc/passwd"}, "/url"),
        ],
    )
    async def test_refuses(self, client: httpx.AsyncClient, source: dict[str, str], pointer: str) -> None:
        response = await client.post("/apis/preview", json=source)

        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["pointer"] == pointer

    @ON_SQLITE
    async def test_aliases_that_multiply_are_cut_off(self, client: httpx.AsyncClient) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

        response = await client.post("/apis/preview", json={"document": "\n".join(lines)})

        assert response.status_code == 422
        assert "too large" in response.text or "too much time or memory" in response.text


class TestCreate:
    async def test_stores_the_chosen_operations(self, client: httpx.AsyncClient) -> None:
        created = await create(client, baseUrl="https://shop.example/v1")

        assert created["tools"][0]["tool"] == "api:shop/getItem"
        assert (await client.get("/apis")).json()["apis"] == [created]
        tools = {tool["name"]: tool for tool in (await client.get("/tools")).json()["tools"]}
        assert tools["api:shop/getItem"]["kind"] == "http_api"
        assert tools["api:shop/getItem"]["effect"] == "read"

    async def test_names_are_unique(self, client: httpx.AsyncClient) -> None:
        await create(client, baseUrl="https://shop.example")

        response = await client.post("/apis", json=body(baseUrl="https://shop.example"))

        assert response.status_code == 409

    @ON_SQLITE
    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({}, "/baseUrl"),
            ({"baseUrl": "http://169.254.169.254"}, "/baseUrl"),
            ({"baseUrl": "https://a.example/?key=1"}, "/baseUrl"),
            ({"operations": ["none"], "baseUrl": "https://a.example"}, "/operations/0"),
            ({"connectionId": "conn_none"}, "/connectionId"),
            ({"resultPaths": {"getItem": "$["}, "baseUrl": "https://a.example"}, "/resultPaths/getItem"),
        ],
    )
    async def test_refuses(self, client: httpx.AsyncClient, changes: dict[str, Any], pointer: str) -> None:
        response = await client.post("/apis", json=body(**changes))

        assert response.status_code == 422, response.text
        assert response.json()["errors"][0]["pointer"] == pointer

    async def test_connection_of_another_workspace_is_unknown(self, client: httpx.AsyncClient) -> None:
        connection_id = await connect(client, "https://shop.example", auth="bearer")

        response = await client.post(
            "/apis", json=body(connectionId=connection_id), headers=auth_headers("stranger")
        )

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/connectionId"

    async def test_delete(self, client: httpx.AsyncClient) -> None:
        created = await create(client, baseUrl="https://shop.example")

        assert (await client.delete(f"/apis/{created['id']}")).status_code == 204
        assert (await client.get("/apis")).json()["apis"] == []
        assert (await client.post("/tools/try", json={"tool": "api:shop/getItem"})).status_code == 422


@ON_SQLITE
class TestCall:
    async def test_with_the_credentials_of_the_connection(self, client: httpx.AsyncClient) -> None:
        with ScriptedService(Reply({"name": "tea", "seen": KEY})) as service:
            connection_id = await connect(client, f"{service.url}/v1", auth="bearer")
            await create(client, connectionId=connection_id)
            result = await try_tool(client, id="7/8")
            result_of_safe_id = await try_tool(client, id="7 8")

        assert "`id` is a part of the path" in result["output"]
        assert result_of_safe_id["ok"], result_of_safe_id
        [request] = service.calls
        assert (request.method, request.target) == ("GET", "/v1/items/7%208")
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert KEY not in result_of_safe_id["output"]

    async def test_answer_is_reduced(self, client: httpx.AsyncClient) -> None:
        with ScriptedService(Reply({"name": "tea", "rest": ["x"] * 100})) as service:
            await create(client, baseUrl=service.url, resultPaths={"getItem": "$.name"})
            result = await try_tool(client, id="7")

        assert result["output"] == '"tea"'

    async def test_hostile_answer_cannot_occupy_the_reduction(self, client: httpx.AsyncClient) -> None:
        deep: Any = "x"
        for _ in range(90):
            deep = {"a": [deep, 1]}
        with ScriptedService(Reply({"list": [deep] * 150})) as service:
            await create(client, baseUrl=service.url, resultPaths={"getItem": "$..[?@..[?@..a]]"})
            result = await try_tool(client, id="7")

        assert not result["ok"]
        assert result["latencyMs"] < 30_500

    async def test_a_method_that_the_connection_does_not_allow(
        self, client: httpx.AsyncClient, container: Container
    ) -> None:
        document = {"openapi": "3.1.0", "paths": {"/items": {"delete": {"operationId": "drop"}}}}
        connection_id = await connect(client, "https://shop.example", auth="bearer")
        await create(client, document=json.dumps(document), operations=["drop"], connectionId=connection_id)
        async with read_session(container.sessions) as session:
            found = await container.tools.registry.find(session, "ws_default", ["api:shop/drop", "api:no/x"])

        codes = {problem.tool: problem.code for problem in found.problems}
        assert codes == {"api:shop/drop": "method-not-allowed", "api:no/x": "api-unknown"}

    async def test_says_that_the_connection_is_gone(self, client: httpx.AsyncClient) -> None:
        connection_id = await connect(client, "https://shop.example", auth="bearer")
        await create(client, connectionId=connection_id)
        await client.delete(f"/connections/{connection_id}")

        response = await client.post("/tools/try", json={"tool": "api:shop/getItem"})

        assert response.json()["problems"][0]["code"] == "connection-missing"


@ON_SQLITE
class TestOAuth:
    async def test_exchanges_the_secret_for_a_token(self, client: httpx.AsyncClient) -> None:
        token = Reply({"access_token": "issued-token-1", "expires_in": 3600})
        with ScriptedService(token) as issuer, ScriptedService(Reply({"seen": "issued-token-1"})) as service:
            connection_id = await connect(
                client,
                service.url,
                auth="oauth",
                username="client",
                tokenUrl=f"{issuer.url}/token",
                scope="items:read",
            )
            await create(client, connectionId=connection_id)
            results = [await try_tool(client, id="7") for _ in range(2)]

        [asked] = issuer.calls
        assert asked.body == b"grant_type=client_credentials&scope=items%3Aread"
        assert [request.headers["authorization"] for request in service.calls] == [
            "Bearer issued-token-1"
        ] * 2
        assert all("issued-token-1" not in result["output"] for result in results)
        assert KEY not in str(service.calls)

    async def test_a_rejected_token_is_replaced_once(self, client: httpx.AsyncClient) -> None:
        tokens = [Reply({"access_token": f"issued-token-{n}", "expires_in": 3600}) for n in (1, 2)]
        with ScriptedService(*tokens) as issuer, ScriptedService(Reply({}, 401)) as service:
            connection_id = await connect(
                client, service.url, auth="oauth", username="other", tokenUrl=f"{issuer.url}/token"
            )
            await create(client, connectionId=connection_id)
            result = await try_tool(client, id="7")

        assert result["output"].startswith("HTTP 401")
        assert (len(issuer.calls), len(service.calls)) == (2, 2)

    async def test_a_stored_secret_goes_to_no_other_issuer(self, client: httpx.AsyncClient) -> None:
        options = {"auth": "oauth", "username": "client", "tokenUrl": "https://issuer.example/token"}
        connection_id = await connect(client, "https://shop.example", **options)

        response = await client.patch(
            f"/connections/{connection_id}",
            json={"options": options | {"tokenUrl": "https://attacker.example/token"}},
        )

        assert response.status_code == 422
        assert response.json()["type"].endswith("/secret-needed-again")
