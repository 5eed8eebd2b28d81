"""Importing and exporting the configuration files of MCP clients."""

from typing import Any

import httpx
import pytest

from tests.features.mcp.conftest import add_server
from tests.support.audit_hook import NETWORK_EVENTS, PROCESS_EVENTS, record_audit_events
from tests.support.harness import ON_SQLITE

COMMANDS = {"files": ["mcp-files", "/srv/docs"]}
pytestmark = [
    pytest.mark.harness(seed_models=False, allow_private_hosts=True, mcp_stdio_commands=COMMANDS),
    ON_SQLITE,
]
TOKEN = "mcp-canary-credential-0123"
URL = "http://127.0.0.1:9/mcp"


async def import_config(client: httpx.AsyncClient, config: dict[str, Any]) -> list[dict[str, Any]]:
    response = await client.post("/mcp/import/config", json={"config": config})
    assert response.status_code == 200, response.text
    assert TOKEN not in response.text
    entries: list[dict[str, Any]] = response.json()["entries"]
    return entries


class TestImport:
    @pytest.mark.parametrize(
        "config",
        [
            {"mcpServers": {"My Server": {"url": URL}}},
            {"mcpServers": {"My Server": {"type": "streamableHttp", "url": URL, "disabled": False}}},
            {"servers": {"My Server": {"type": "http", "url": URL}}, "inputs": []},
            {"mcp": {"servers": {"My Server": {"type": "http", "url": URL}}}},
            {"mcpServers": {"My Server": {"serverUrl": URL}}},
        ],
        ids=["claude-desktop", "cline", "vscode", "vscode-settings", "windsurf"],
    )
    async def test_shapes(self, client: httpx.AsyncClient, config: dict[str, Any]) -> None:
        [entry] = await import_config(client, config)

        assert (entry["name"], entry["problem"]) == ("My Server", None)
        assert (entry["server"]["name"], entry["server"]["url"]) == ("my-server", URL)

    async def test_credentials(self, client: httpx.AsyncClient) -> None:
        entries = await import_config(
            client,
            {
                "mcpServers": {
                    "a": {"url": URL, "headers": {"Authorization": f"Bearer {TOKEN}"}},
                    "b": {"url": URL, "headers": {"X-Key": TOKEN}},
                    "c": {"url": URL, "headers": {"Authorization": "Bearer ${input:token}"}},
                }
            },
        )

        servers = [entry["server"] for entry in entries]
        assert [server["auth"] for server in servers] == ["bearer", "header", "bearer"]
        assert [server["hasCredential"] for server in servers] == [True, True, False]
        assert [entry["note"] is None for entry in entries] == [True, True, False]

    async def test_what_cannot_be_imported(self, client: httpx.AsyncClient) -> None:
        entries = await import_config(
            client,
            {
                "mcpServers": {
                    "command": {"command": "npx", "args": ["-y", "evil"], "env": {"KEY": TOKEN}},
                    "both": {"command": "sh", "url": URL},
                    "old": {"type": "sse", "url": URL},
                    "none": {},
                    "text": "text",
                    "metadata": {"url": "http://169.254.169.254/"},
                    "secret": {"url": f"https://example.org/?token={TOKEN}"},
                    "headers": {"url": URL, "headers": {"A": "1", "B": "2"}},
                    "weak": {"url": URL, "headers": {"X-Key": "password"}},
                }
            },
        )

        assert [entry["server"] for entry in entries] == [None] * len(entries)
        assert all(entry["problem"] for entry in entries)
        assert (await client.get("/mcp/servers")).json()["servers"] == []

    async def test_names_are_unique(self, client: httpx.AsyncClient) -> None:
        await add_server(client, URL)

        entries = await import_config(client, {"mcpServers": {"Test": {"url": URL}, "test": {"url": URL}}})

        assert [entry["server"]["name"] for entry in entries] == ["test-2", "test-3"]

    async def test_contacts_and_starts_nothing(self, client: httpx.AsyncClient) -> None:
        config = {
            "mcpServers": {
                "http": {"url": "http://mcp.example.org/mcp"},
                "command": {"command": "touch", "args": ["/tmp/started"]},
            }
        }

        with record_audit_events(PROCESS_EVENTS, NETWORK_EVENTS) as events:
            await import_config(client, config)

        assert events == []

    @pytest.mark.parametrize(
        "config",
        [
            {},
            {"mcpServers": {}},
            {"mcpServers": []},
            {"mcp": 3},
            {"mcpServers": {str(n): {} for n in range(51)}},
        ],
    )
    async def test_no_configuration(self, client: httpx.AsyncClient, config: dict[str, Any]) -> None:
        response = await client.post("/mcp/import/config", json={"config": config})

        assert response.status_code == 422


class TestCommands:
    """What an import makes of commands, for which the administrator has listed `files`."""

    async def test_listed_command_is_added_switched_off(self, client: httpx.AsyncClient) -> None:
        entry = {"command": "mcp-files", "args": ["/srv/docs"], "env": {"KEY": TOKEN}, "disabled": False}

        [imported] = await import_config(client, {"mcpServers": {"Files": entry}})

        server = imported["server"]
        assert (server["url"], server["isEnabled"]) == ("stdio:files", False)
        assert "environment was not imported" in imported["note"]
        assert TOKEN not in (await client.get(f"/mcp/servers/{server['id']}")).text

    @pytest.mark.parametrize(
        "entry",
        [
            {"command": "mcp-files", "args": ["/srv/docs", "/etc"]},
            {"command": "mcp-files", "args": ["/srv/docs "]},
            {"command": "mcp-files", "args": []},
            {"command": "mcp-files /srv/docs"},
            {"command": "mcp-files", "args": "/srv/docs; touch /tmp/x"},
            {"command": "mcp-files", "args": [["/srv/docs"]]},
            {"command": "mcp-files", "args": {"0": "/srv/docs"}},
            {"command": "sh", "args": ["-c", "mcp-files /srv/docs"]},
            {"command": "env", "args": ["mcp-files", "/srv/docs"]},
            {"command": "./mcp-files", "args": ["/srv/docs"]},
            {"command": ["mcp-files", "/srv/docs"]},
            {"command": {"$ref": "mcp-files"}, "args": ["/srv/docs"]},
            {"command": "files"},
            {"command": None},
        ],
    )
    async def test_anything_else_is_refused(self, client: httpx.AsyncClient, entry: dict[str, Any]) -> None:
        with record_audit_events(PROCESS_EVENTS, NETWORK_EVENTS) as events:
            [imported] = await import_config(client, {"mcpServers": {"Files": entry}})

        assert imported["server"] is None
        assert "MCP_STDIO_COMMANDS" in imported["problem"]
        assert events == []

    async def test_command_in_an_address(self, client: httpx.AsyncClient) -> None:
        entries = {
            "other": {"url": "stdio:sh"},
            "injected": {"url": "stdio:files; touch /tmp/x"},
            "with credential": {"url": "stdio:files", "headers": {"X-Key": TOKEN}},
        }

        found = await import_config(client, {"mcpServers": entries})

        assert [entry["server"] for entry in found] == [None] * len(entries)

    async def test_adding_starts_nothing(self, client: httpx.AsyncClient) -> None:
        with record_audit_events(PROCESS_EVENTS, NETWORK_EVENTS) as events:
            server = await add_server(client, "stdio:files")
            listed = (await client.get("/mcp/servers")).json()

        assert server["url"] == "stdio:files"
        assert listed["commands"] == ["files"]
        assert events == []

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [({"url": "stdio:sh"}, "/url"), ({"url": "stdio:files", "auth": "oauth"}, "/auth")],
    )
    async def test_what_cannot_be_added(
        self, client: httpx.AsyncClient, fields: dict[str, Any], pointer: str
    ) -> None:
        response = await client.post("/mcp/servers", json={"name": "test", **fields})

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == pointer

    async def test_is_not_exported(self, client: httpx.AsyncClient) -> None:
        await add_server(client, "stdio:files")

        assert (await client.get("/mcp/export/config")).json() == {"mcpServers": {}}


class TestExport:
    async def test_has_no_credentials(self, client: httpx.AsyncClient) -> None:
        await add_server(client, URL, auth="header", headerName="X-Key", credential=TOKEN)

        response = await client.get("/mcp/export/config")

        assert TOKEN not in response.text
        assert response.json() == {
            "mcpServers": {"test": {"type": "http", "url": URL, "headers": {"X-Key": "${TOKEN}"}}}
        }

    async def test_can_be_imported(self, client: httpx.AsyncClient) -> None:
        await add_server(client, URL, auth="bearer", credential=TOKEN)
        exported = (await client.get("/mcp/export/config")).json()

        [entry] = await import_config(client, exported)

        assert (entry["server"]["name"], entry["server"]["auth"]) == ("test-2", "bearer")
        assert entry["note"] is not None
