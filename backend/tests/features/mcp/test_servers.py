"""Adding, replacing and deleting MCP servers."""

from typing import Any

import httpx
import pytest

from crewai_runner.wiring.container import Container
from tests.features.mcp.conftest import add_server, approve_all, connect, list_tools
from tests.support.harness import ON_SQLITE
from tests.support.mcp_server import ScriptedMcpServer
from tests.support.principals import auth_headers

pytestmark = pytest.mark.harness(seed_models=False, allow_private_hosts=True)
CREDENTIAL = "mcp-canary-credential-0123"


class TestCreate:
    async def test_never_returns_the_credential(self, client: httpx.AsyncClient) -> None:
        url = "http://127.0.0.1:9/mcp"

        response = await client.post(
            "/mcp/servers",
            json={
                "name": "files",
                "url": url,
                "auth": "header",
                "headerName": "X-Key",
                "credential": CREDENTIAL,
            },
        )

        created = response.json()["server"]
        assert response.status_code == 201
        assert created["id"].startswith("mcp_")
        assert (created["hasCredential"], created["credentialHint"]) == (True, "0123")
        assert created["toolCounts"] == {}
        assert CREDENTIAL not in response.text
        assert (await client.get(f"/mcp/servers/{created['id']}")).json() == created
        assert (await client.get("/mcp/servers")).json()["servers"] == [created]

    async def test_contacts_nothing(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        created = await add_server(client, server.url)
        await client.get(f"/mcp/servers/{created['id']}/status")

        assert server.received == []

    async def test_name_is_unique_in_the_workspace(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer
    ) -> None:
        await add_server(client, server.url)

        response = await client.post("/mcp/servers", json={"name": "test", "url": server.url})

        assert (response.status_code, response.json()["type"].rsplit("/", 1)[-1]) == (
            409,
            "mcp-server-name-taken",
        )

    @ON_SQLITE
    @pytest.mark.parametrize(
        "change",
        [
            {"name": "Not a slug"},
            {"name": "a/b"},
            {"name": "x-"},
            {"url": "ftp://example.org"},
            {"url": "http://user:pass@example.org/mcp"},
            {"url": "http://169.254.169.254/latest"},
            {"url": "http://metadata.google.internal/"},
            {"url": "https://example.org/mcp?api_key=abc"},
            {"url": "https://example.org/mcp#part"},
            {"auth": "header", "credential": CREDENTIAL},
            {"auth": "header", "headerName": "Host", "credential": CREDENTIAL},
            {"auth": "header", "headerName": "Mcp-Session-Id", "credential": CREDENTIAL},
            {"auth": "header", "headerName": "X\r\nY", "credential": CREDENTIAL},
            {"credential": CREDENTIAL},
            {"auth": "bearer", "credential": "two words are no token"},
            {"timeoutSeconds": 0},
            {"command": "npx"},
        ],
    )
    async def test_invalid(self, client: httpx.AsyncClient, change: dict[str, Any]) -> None:
        body = {"name": "test", "url": "http://127.0.0.1:9/mcp"} | change

        response = await client.post("/mcp/servers", json=body)

        assert response.status_code == 422
        assert CREDENTIAL not in response.text

    @ON_SQLITE
    async def test_other_workspace_gets_404(
        self, client: httpx.AsyncClient, container: Container, server: ScriptedMcpServer
    ) -> None:
        created = await add_server(client, server.url)
        path, headers = f"/mcp/servers/{created['id']}", auth_headers("stranger")

        answers = [
            await client.get(path, headers=headers),
            await client.get(f"{path}/tools", headers=headers),
            await client.get(f"{path}/status", headers=headers),
            await client.post(f"{path}/connect", headers=headers),
            await client.delete(path, headers=headers),
        ]

        assert [answer.status_code for answer in answers] == [404] * 5
        assert (await client.get("/mcp/servers", headers=headers)).json()["servers"] == []
        assert server.received == []


class TestReplace:
    async def test_keeps_the_credential(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        server.required_headers = {"authorization": f"Bearer {CREDENTIAL}"}
        created = await add_server(client, server.url, auth="bearer", credential=CREDENTIAL)
        path = f"/mcp/servers/{created['id']}"

        replaced = await client.put(
            path, json={"name": "renamed", "url": server.url, "auth": "bearer", "timeoutSeconds": 5}
        )

        assert replaced.status_code == 200
        assert replaced.json()["name"] == "renamed"
        assert (await connect(client, created["id"]))["ok"]

    async def test_credential_is_not_sent_to_another_address(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer
    ) -> None:
        created = await add_server(client, server.url, auth="bearer", credential=CREDENTIAL)

        response = await client.put(
            f"/mcp/servers/{created['id']}",
            json={"name": "test", "url": "http://127.0.0.1:9/mcp", "auth": "bearer"},
        )

        assert response.status_code == 422
        assert response.json()["type"].endswith("credential-needed-again")

    async def test_another_address_needs_new_approvals(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer
    ) -> None:
        created = await add_server(client, server.url)
        await connect(client, created["id"])
        await approve_all(client, created["id"])

        body = {"name": "test", "url": f"{server.url}/other"}
        await client.put(f"/mcp/servers/{created['id']}", json=body)

        assert await list_tools(client, created["id"]) == {}

    async def test_stale_version(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        created = await add_server(client, server.url)
        body = {"name": "test", "url": server.url, "isEnabled": False}
        path = f"/mcp/servers/{created['id']}"
        await client.put(path, json=body)

        response = await client.put(path, json=body, headers={"If-Match": '"1"'})

        assert response.status_code == 412

    async def test_delete(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        created = await add_server(client, server.url)
        await connect(client, created["id"])

        response = await client.delete(f"/mcp/servers/{created['id']}")

        assert response.status_code == 204
        assert (await client.get(f"/mcp/servers/{created['id']}")).status_code == 404
