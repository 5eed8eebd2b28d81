"""Both eras of the protocol: versions, headers, errors, and what is not a message."""

import json
from typing import Any

import httpx
import pytest

from crewai_runner.features.mcp_endpoint.messages import HANDSHAKE_VERSIONS, NEWEST_HANDSHAKE
from tests.features.mcp_endpoint.mcp_calls import ACCEPT, STATELESS, URL, make_request, notify, send
from tests.support.harness import ON_SQLITE
from tests.support.principals import ANONYMOUS

pytestmark = ON_SQLITE
HELLO = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class TestInitialize:
    @pytest.mark.parametrize("version", HANDSHAKE_VERSIONS)
    async def test_known_version_is_repeated(self, client: httpx.AsyncClient, version: str) -> None:
        response = await send(client, "initialize", {"protocolVersion": version, **HELLO})

        result = response.json()["result"]
        assert result["protocolVersion"] == version
        assert result["capabilities"] == {"tools": {}}
        assert len(response.headers["mcp-session-id"]) > 20

    async def test_unknown_version_gets_the_newest(self, client: httpx.AsyncClient) -> None:
        response = await send(client, "initialize", {"protocolVersion": "2030-01-01", **HELLO})

        assert response.json()["result"]["protocolVersion"] == NEWEST_HANDSHAKE

    async def test_session_is_not_stored(self, client: httpx.AsyncClient) -> None:
        """Any process answers, also after a restart."""
        body, headers = make_request("ping")

        response = await client.post(URL, json=body, headers=headers | {"MCP-Session-Id": "of-no-process"})

        assert response.json() == {"jsonrpc": "2.0", "id": 1, "result": {}}

    @pytest.mark.parametrize("method", ["notifications/initialized", "notifications/unknown"])
    async def test_notifications_are_accepted(self, client: httpx.AsyncClient, method: str) -> None:
        response = await notify(client, method, {})

        assert (response.status_code, response.content) == (202, b"")


class TestStateless:
    async def test_discover(self, client: httpx.AsyncClient) -> None:
        result = (await send(client, "server/discover", is_stateless=True)).json()["result"]

        assert STATELESS in result["supportedVersions"]
        assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 0, "private")

    async def test_lists_are_private(self, client: httpx.AsyncClient) -> None:
        result = (await send(client, "tools/list", is_stateless=True)).json()["result"]

        assert (result["resultType"], result["ttlMs"], result["cacheScope"]) == ("complete", 0, "private")

    @pytest.mark.parametrize(
        ("header", "value"),
        [
            ("MCP-Protocol-Version", "2025-11-25"),
            ("MCP-Method", "tools/list"),
            ("MCP-Name", "list_runs"),
            ("MCP-Name", None),
            ("MCP-Method", None),
            ("MCP-Name", "=?base64?!?="),
        ],
    )
    async def test_headers_must_agree_with_the_body(
        self, client: httpx.AsyncClient, header: str, value: str | None
    ) -> None:
        body, headers = make_request("tools/call", {"name": "get_run"}, is_stateless=True)
        del headers[header]

        response = await client.post(URL, json=body, headers=headers | ({header: value} if value else {}))

        assert (response.status_code, response.json()["error"]["code"]) == (400, -32020)

    async def test_encoded_name(self, client: httpx.AsyncClient) -> None:
        body, headers = make_request("tools/call", {"name": "list_runs"}, is_stateless=True)

        response = await client.post(
            URL, json=body, headers=headers | {"MCP-Name": "=?base64?bGlzdF9ydW5z?="}
        )

        assert response.json()["result"]["isError"] is False

    async def test_unknown_version(self, client: httpx.AsyncClient) -> None:
        body, headers = make_request("ping", is_stateless=True)
        body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2030-01-01"

        response = await client.post(URL, json=body, headers=headers | {"MCP-Protocol-Version": "2030-01-01"})

        assert (response.status_code, response.json()["error"]["code"]) == (400, -32022)
        assert STATELESS in response.json()["error"]["data"]["supported"]

    @pytest.mark.parametrize("missing", ["protocolVersion", "clientCapabilities"])
    async def test_what_each_request_must_say(self, client: httpx.AsyncClient, missing: str) -> None:
        body, headers = make_request("ping", is_stateless=True)
        del body["params"]["_meta"][f"io.modelcontextprotocol/{missing}"]

        response = await client.post(URL, json=body, headers=headers)

        assert (response.status_code, response.json()["error"]["code"]) == (400, -32602)

    async def test_there_is_no_handshake(self, client: httpx.AsyncClient) -> None:
        response = await send(client, "initialize", {"protocolVersion": STATELESS}, is_stateless=True)

        assert (response.status_code, response.json()["error"]["code"]) == (404, -32601)


class TestErrors:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"{", -32700),
            (b"\xff", -32700),
            (b"", -32700),
            (b"[" * 200 + b"]" * 200, -32700),
            (b"[]", -32600),
            (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
            (b"1", -32600),
            (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
            (b'{"jsonrpc":"2.0","id":1,"method":""}', -32600),
            (b'{"jsonrpc":"2.0","id":1}', -32600),
        ],
    )
    async def test_malformed_messages(self, client: httpx.AsyncClient, content: bytes, code: int) -> None:
        response = await client.post(URL, content=content, headers=ACCEPT)

        assert response.status_code in (400, 422)
        if response.status_code == 400:
            assert response.json()["error"]["code"] == code

    @pytest.mark.parametrize(
        ("method", "params", "code"),
        [
            ("resources/list", {}, -32601),
            ("server/discover", {}, -32601),
            ("initialize", {}, -32602),
            ("tools/list", {"cursor": 1}, -32602),
            ("tools/list", {"cursor": "no cursor"}, -32602),
            ("tools/call", {}, -32602),
            ("tools/call", {"name": 1}, -32602),
            ("tools/call", {"name": "list_runs", "arguments": []}, -32602),
            ("tools/call", {"name": "no-such-workflow"}, -32602),
            ("tools/call", {"name": "list_runs", "_meta": {"progressToken": ["x"]}}, -32602),
            ("tools/call", {"name": "list_runs", "_meta": {"progressToken": "x" * 201}}, -32602),
        ],
    )
    async def test_wrong_requests(
        self, client: httpx.AsyncClient, method: str, params: dict[str, Any], code: int
    ) -> None:
        response = await send(client, method, params, request_id="r-1")

        answer = response.json()
        assert (response.status_code, answer["id"], answer["error"]["code"]) == (200, "r-1", code)

    async def test_unsupported_version_header(self, client: httpx.AsyncClient) -> None:
        body, headers = make_request("ping")

        response = await client.post(URL, json=body, headers=headers | {"MCP-Protocol-Version": "1999-01-01"})

        assert response.status_code == 400

    @pytest.mark.parametrize("text", ["\x00", "a\ud800b"])
    async def test_text_that_cannot_be_stored(self, client: httpx.AsyncClient, text: str) -> None:
        body, headers = make_request("tools/call", {"name": "get_run", "arguments": {"run_id": text}})

        response = await client.post(URL, content=json.dumps(body), headers=headers)

        assert response.json()["error"]["code"] == -32602

    @pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
    async def test_other_methods(self, client: httpx.AsyncClient, method: str) -> None:
        response = await client.request(method, URL)

        assert (response.status_code, response.headers["allow"]) == (405, "POST")


class TestAccess:
    async def test_anonymous(self, client: httpx.AsyncClient) -> None:
        body, headers = make_request("ping")

        response = await client.post(URL, json=body, headers=headers | ANONYMOUS)

        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert response.json()["type"].endswith("/unauthenticated")

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://test.evil.example"])
    async def test_pages_of_other_origins(self, client: httpx.AsyncClient, origin: str) -> None:
        body, headers = make_request("ping")

        response = await client.post(URL, json=body, headers=headers | {"Origin": origin})

        assert response.status_code == 403
        assert response.json()["type"].endswith("/cross-site-request")

    async def test_page_of_this_server(self, client: httpx.AsyncClient) -> None:
        body, headers = make_request("ping")

        response = await client.post(URL, json=body, headers=headers | {"Origin": "http://test"})

        assert response.status_code == 200
