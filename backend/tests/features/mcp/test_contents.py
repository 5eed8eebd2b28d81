"""Resources and prompts of a server, as a person sees them."""

from typing import Any

import httpx
import pytest

from crewai_runner.core.secret_mask import MASK
from tests.features.mcp.conftest import add_server
from tests.support.harness import ON_SQLITE
from tests.support.mcp_server import HANDSHAKE, STATELESS, ScriptedMcpServer

pytestmark = [pytest.mark.harness(seed_models=False, allow_private_hosts=True), ON_SQLITE]
CREDENTIAL = "mcp-canary-credential-0123"
RESOURCE = {
    "uri": "file:///tea.txt",
    "name": "tea",
    "title": "Tea\u202e",
    "mimeType": "text/plain",
    "size": 9,
}
PROMPT = {
    "name": "brew",
    "description": f"Brews. {CREDENTIAL}",
    "arguments": [{"name": "kind", "required": True}, "x", {}],
}


async def ask(client: httpx.AsyncClient, server: ScriptedMcpServer, **body: Any) -> dict[str, Any]:
    """List the contents of a new server, or read one of its resources."""
    created = await add_server(client, server.url, auth="bearer", credential=CREDENTIAL)
    path = f"/mcp/servers/{created['id']}/contents"
    response = await client.post(f"{path}/read", json=body) if body else await client.post(path)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


class TestList:
    @pytest.mark.parametrize("era", [STATELESS, HANDSHAKE])
    async def test_cleans_what_the_server_says(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer, era: str
    ) -> None:
        server.eras = (era,)
        unusable = [{"uri": "file:///\u202etea"}, {"uri": "x" * 3_000}, {"name": "no address"}, "text"]
        server.other_results = {
            "resources/list": {"resources": [RESOURCE, *unusable]},
            "prompts/list": {"prompts": [PROMPT, {}, 7]},
        }

        contents = await ask(client, server)

        assert contents == {
            "problem": None,
            "resources": [
                {
                    "uri": "file:///tea.txt",
                    "name": "Tea",
                    "description": "",
                    "mimeType": "text/plain",
                    "size": 9,
                }
            ],
            "prompts": [
                {
                    "name": "brew",
                    "title": "brew",
                    "description": f"Brews. {MASK}",
                    "arguments": [{"name": "kind", "description": "", "isRequired": True}],
                }
            ],
        }

    async def test_server_without_any(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        assert await ask(client, server) == {"problem": None, "resources": [], "prompts": []}

    async def test_failure_is_reported(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        server.status = 500

        contents = await ask(client, server)

        assert "HTTP 500" in contents["problem"]
        assert CREDENTIAL not in contents["problem"]


class TestRead:
    async def test_beginning_of_a_text(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        part = {"uri": "file:///tea.txt", "mimeType": "text/plain", "text": f"{CREDENTIAL} {'x' * 30_000}"}
        server.other_results = {"resources/read": {"contents": [part]}}

        content = await ask(client, server, uri="file:///tea.txt")

        assert content["text"].startswith(f"{MASK} x")
        assert len(content["text"]) <= 20_000
        assert (content["mimeType"], content["isTruncated"]) == ("text/plain", True)
        assert not content["isBinary"]
        [request] = [one.body for one in server.received if one.method == "resources/read"]
        assert request["params"]["uri"] == "file:///tea.txt"

    async def test_bytes_are_not_shown(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        part = {"uri": "file:///tea.png", "mimeType": "image/png", "blob": "aGVsbG8="}
        server.other_results = {"resources/read": {"contents": [part]}}

        content = await ask(client, server, uri="file:///tea.png")

        assert (content["text"], content["isBinary"], content["mimeType"]) == ("", True, "image/png")

    @pytest.mark.parametrize("result", [{}, {"contents": 7}])
    async def test_malformed_answer(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer, result: dict[str, Any]
    ) -> None:
        server.other_results = {"resources/read": result}

        assert "without `contents`" in (await ask(client, server, uri="file:///tea.txt"))["problem"]
