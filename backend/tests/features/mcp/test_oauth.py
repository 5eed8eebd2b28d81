"""Authorizations with OAuth 2.1, against a real authorization server (`oidc-provider`) and hostile ones."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from crewai_runner.core.clock import now
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.db.tables.mcp import McpServerRow
from crewai_runner.features.mcp.oauth.authorizations import McpAuthorizations
from crewai_runner.features.mcp.service import McpDeps
from crewai_runner.wiring.container import Container
from tests.features.mcp.conftest import add_server, approve_all, connect
from tests.support.harness import ON_SQLITE
from tests.support.issuers import ROOT
from tests.support.mcp_server import ScriptedMcpServer
from tests.support.principals import auth_headers

PUBLIC_URL = "http://127.0.0.1:9"
pytestmark = [
    pytest.mark.harness(seed_models=False, allow_private_hosts=True, public_url=PUBLIC_URL),
    ON_SQLITE,
]


@dataclass(frozen=True)
class Service:
    """An MCP server with its authorization server."""

    issuer: str
    mcp: str

    async def agree(self, url: str) -> dict[str, str]:
        """Sign in and agree as a browser does; return what is added to the address of the dashboard."""
        async with httpx.AsyncClient(trust_env=False) as browser:
            response = await browser.get(url)
            for _ in range(10):
                if response.is_redirect:
                    target = urljoin(str(response.url), response.headers["location"])
                    if target.startswith(PUBLIC_URL):
                        return dict(parse_qsl(urlsplit(target).query))
                    response = await browser.get(target)
                else:
                    assert response.status_code == 200, response.text
                    response = await browser.post(response.url, data={"login": "ann"})
        raise AssertionError(f"{url} leads nowhere")

    def expire_tokens(self) -> None:
        httpx.post(f"{self.issuer}/_control/expire", trust_env=False).raise_for_status()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    path = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ.get("PATH", "")])
    node = shutil.which("node", path=path)
    assert node, "node is not installed: see the target `node` of the Makefile"
    process = subprocess.Popen(
        [node, "e2e/authorization-server.mjs"],
        cwd=ROOT / "frontend",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the authorization server did not start: is oidc-provider installed? (`make install`)"
    yield Service(**json.loads(line))
    process.terminate()
    process.communicate(timeout=10)


async def begin(client: httpx.AsyncClient, server_id: str) -> httpx.Response:
    return await client.post(f"/mcp/servers/{server_id}/authorize")


async def finish(client: httpx.AsyncClient, answer: dict[str, str], **changes: Any) -> httpx.Response:
    body = {name: answer[name] for name in ("state", "code", "iss") if name in answer} | changes
    return await client.post("/mcp/authorizations/finish", json=body)


async def authorize(client: httpx.AsyncClient, service: Service) -> str:
    """Add a server and authorize it; returns its id."""
    created = await add_server(client, service.mcp, auth="oauth")
    begun = await begin(client, created["id"])
    assert begun.status_code == 200, begun.text
    finished = await finish(client, await service.agree(begun.json()["url"]))
    assert finished.status_code == 200, finished.text
    assert finished.json() == {"serverId": created["id"]}
    return str(created["id"])


async def read_row(container: Container, server_id: str) -> McpServerRow:
    async with read_session(container.sessions) as session:
        row = await session.get(McpServerRow, server_id)
    assert row is not None
    return row


class TestAuthorize:
    async def test_tools_can_be_called(self, client: httpx.AsyncClient, service: Service) -> None:
        server_id = await authorize(client, service)

        report = await connect(client, server_id)
        assert report["ok"], report
        await approve_all(client, server_id)
        result = (await client.post("/mcp/tools/test", json={"tool": "mcp:test/whoami"})).json()

        assert result["output"] == "You are ann."
        server = (await client.get(f"/mcp/servers/{server_id}")).json()
        assert (server["isAuthorized"], server["hasCredential"]) == (True, False)
        assert server["tokenExpiresAt"] is not None

    async def test_both_steps_are_in_the_audit_log(
        self, client: httpx.AsyncClient, container: Container, service: Service
    ) -> None:
        await authorize(client, service)

        query = select(AuditRow.operation, AuditRow.result).order_by(AuditRow.id)
        query = query.where(AuditRow.operation.like("mcp:%_mcp_authorization"))
        async with read_session(container.sessions) as session:
            rows = [tuple(row) for row in await session.execute(query)]
        steps = ("mcp:begin_mcp_authorization", "mcp:finish_mcp_authorization")
        assert rows == [(step, "succeeded") for step in steps]

    async def test_request_to_the_authorization_server(
        self, client: httpx.AsyncClient, service: Service
    ) -> None:
        created = await add_server(client, service.mcp, auth="oauth")

        url = (await begin(client, created["id"])).json()["url"]

        query = dict(parse_qsl(urlsplit(url).query))
        assert url.startswith(service.issuer)
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert (query["resource"], query["redirect_uri"]) == (
            service.mcp,
            f"{PUBLIC_URL}/tools/mcp/callback",
        )
        assert query["scope"] == "tools:call offline_access"

    async def test_not_authorized(self, client: httpx.AsyncClient, service: Service) -> None:
        created = await add_server(client, service.mcp, auth="oauth")

        report = await connect(client, created["id"])

        assert (report["ok"], report["stage"]) == (False, "auth")

    async def test_answer_works_once(self, client: httpx.AsyncClient, service: Service) -> None:
        created = await add_server(client, service.mcp, auth="oauth")
        answer = await service.agree((await begin(client, created["id"])).json()["url"])
        await finish(client, answer)

        response = await finish(client, answer)

        assert (response.status_code, response.json()["type"].rsplit("/")[-1]) == (
            400,
            "mcp-authorization-invalid",
        )

    @pytest.mark.parametrize("change", [{"state": "wrong"}, {"iss": "https://evil.example.org"}])
    async def test_other_answers(
        self, client: httpx.AsyncClient, service: Service, change: dict[str, str]
    ) -> None:
        created = await add_server(client, service.mcp, auth="oauth")
        answer = await service.agree((await begin(client, created["id"])).json()["url"])
        if "state" in change:
            change = {"state": f"{created['id']}.wrong"}

        response = await finish(client, answer, **change)

        assert response.status_code == 400
        assert (await client.get(f"/mcp/servers/{created['id']}")).json()["isAuthorized"] is False

    async def test_someone_else_cannot_finish(self, client: httpx.AsyncClient, service: Service) -> None:
        created = await add_server(client, service.mcp, auth="oauth")
        answer = await service.agree((await begin(client, created["id"])).json()["url"])

        response = await client.post(
            "/mcp/authorizations/finish",
            json={"state": answer["state"], "code": answer["code"]},
            headers=auth_headers("stranger"),
        )

        assert response.status_code == 400

    async def test_expired_attempt(
        self, client: httpx.AsyncClient, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        created = await add_server(client, service.mcp, auth="oauth")
        answer = await service.agree((await begin(client, created["id"])).json()["url"])
        later = now() + timedelta(minutes=11)
        monkeypatch.setattr("crewai_runner.features.mcp.oauth.attempts.now", lambda: later)

        assert (await finish(client, answer)).status_code == 400

    async def test_another_address_ends_it(self, client: httpx.AsyncClient, service: Service) -> None:
        server_id = await authorize(client, service)

        replaced = await client.put(
            f"/mcp/servers/{server_id}", json={"name": "test", "url": f"{service.mcp}/x", "auth": "oauth"}
        )

        assert replaced.json()["isAuthorized"] is False

    async def test_tokens_are_in_no_answer(
        self, client: httpx.AsyncClient, container: Container, service: Service
    ) -> None:
        server_id = await authorize(client, service)

        row = await read_row(container, server_id)
        texts = [
            (await client.get(path)).text
            for path in (f"/mcp/servers/{server_id}", "/mcp/servers", "/mcp/export/config")
        ]

        assert row.sealed_credential is not None
        assert row.sealed_refresh_token is not None
        for sealed in (row.sealed_credential, row.sealed_refresh_token):
            token = container.cipher.decrypt(sealed)
            assert all(token not in text for text in texts)


class TestRefresh:
    async def test_token_that_expires_soon(
        self, client: httpx.AsyncClient, container: Container, service: Service
    ) -> None:
        server_id = await authorize(client, service)
        await connect(client, server_id)
        before = await read_row(container, server_id)
        service.expire_tokens()
        assert (await connect(client, server_id))["stage"] == "auth"
        await self._make_due(container, server_id)

        await McpAuthorizations(container.provide(McpDeps)).refresh_due()

        after = await read_row(container, server_id)
        assert after.sealed_credential != before.sealed_credential
        assert after.sealed_refresh_token != before.sealed_refresh_token
        assert after.token_refresh_at is not None
        assert after.token_refresh_at > now()
        assert (await connect(client, server_id))["ok"]

    async def test_nothing_is_due(
        self, client: httpx.AsyncClient, container: Container, service: Service
    ) -> None:
        server_id = await authorize(client, service)
        before = await read_row(container, server_id)

        await McpAuthorizations(container.provide(McpDeps)).refresh_due()

        assert (await read_row(container, server_id)).sealed_credential == before.sealed_credential

    async def test_refresh_token_that_was_used(
        self, client: httpx.AsyncClient, container: Container, service: Service
    ) -> None:
        server_id = await authorize(client, service)
        used = (await read_row(container, server_id)).sealed_refresh_token
        for _ in range(2):
            async with unit_of_work(container.sessions) as session:
                await session.execute(update(McpServerRow).values(sealed_refresh_token=used))
            await self._make_due(container, server_id)
            await McpAuthorizations(container.provide(McpDeps)).refresh_due()

        row = await read_row(container, server_id)
        assert (row.sealed_refresh_token, row.token_refresh_at) == (None, None)

    @staticmethod
    async def _make_due(container: Container, server_id: str) -> None:
        async with unit_of_work(container.sessions) as session:
            due = update(McpServerRow).where(McpServerRow.id == server_id)
            await session.execute(due.values(token_refresh_at=now() - timedelta(seconds=1)))


class TestHostileServers:
    """What a server says about its authorization is not trusted."""

    async def _begin(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> dict[str, Any]:
        created = await add_server(client, server.url, auth="oauth")
        response = await begin(client, created["id"])
        assert response.status_code == 502, response.text
        problem: dict[str, Any] = response.json()
        return problem

    async def test_no_metadata(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        problem = await self._begin(client, server)

        assert "does not say where it is authorized" in problem["detail"]

    async def test_metadata_at_another_host_is_not_read(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer
    ) -> None:
        with ScriptedMcpServer() as other:
            server.status = 401
            server.extra_headers = {"WWW-Authenticate": f'Bearer resource_metadata="{other.url}"'}

            await self._begin(client, server)

            assert other.gets == []

    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            ({"resource": "https://other.example.org/mcp"}, "describes another server"),
            ({"authorization_servers": []}, "authorization_servers"),
            ({"authorization_servers": ["http://169.254.169.254/"]}, "https"),
            ({"authorization_servers": ["https://169.254.169.254/"]}, "never contacted"),
            ({"authorization_servers": ["file:///etc/passwd"]}, "https"),
        ],
    )
    async def test_resource_metadata(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer, document: dict[str, Any], reason: str
    ) -> None:
        good = {"resource": server.url, "authorization_servers": [f"http://127.0.0.1:{server.port}"]}
        server.documents["/.well-known/oauth-protected-resource/mcp"] = good | document

        problem = await self._begin(client, server)

        assert reason in problem["detail"]

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"issuer": "https://other.example.org"}, "another issuer"),
            ({"token_endpoint": "http://10.0.0.1/token"}, "https"),
            ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
            ({"registration_endpoint": None}, "does not register clients"),
            ({"registration_endpoint": "https://169.254.169.254/"}, "never contacted"),
        ],
    )
    async def test_server_metadata(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer, change: dict[str, Any], reason: str
    ) -> None:
        origin = f"http://127.0.0.1:{server.port}"
        server.documents["/.well-known/oauth-protected-resource/mcp"] = {
            "resource": server.url,
            "authorization_servers": [origin],
        }
        server.documents["/.well-known/oauth-authorization-server"] = {
            "issuer": origin,
            "authorization_endpoint": f"{origin}/authorize",
            "token_endpoint": f"{origin}/token",
            "registration_endpoint": f"{origin}/register",
            "code_challenge_methods_supported": ["S256"],
        } | change

        problem = await self._begin(client, server)

        assert reason in problem["detail"]

    async def test_secret_of_a_client_goes_to_no_other_authorization_server(
        self, client: httpx.AsyncClient, container: Container, service: Service
    ) -> None:
        created = await add_server(
            client,
            service.mcp,
            auth="oauth",
            oauthClientId="ours",
            oauthClientSecret="mcp-canary-credential-0123",
        )
        known = {
            "issuer": "https://first.example.org",
            "token_endpoint": "https://first.example.org/token",
            "client_id": "ours",
            "auth_method": "client_secret_basic",
            "resource": service.mcp,
        }
        async with unit_of_work(container.sessions) as session:
            await session.execute(update(McpServerRow).values(oauth_client=known))

        response = await begin(client, created["id"])

        assert response.status_code == 502
        assert "names another authorization server" in response.json()["detail"]

    async def test_huge_document(self, client: httpx.AsyncClient, server: ScriptedMcpServer) -> None:
        server.documents["/.well-known/oauth-protected-resource/mcp"] = {"x": "y" * 1_000_000}

        problem = await self._begin(client, server)

        assert "MB" in problem["detail"]


class TestClientDocument:
    HTTPS = "https://crews.example.org"

    @pytest.mark.harness(seed_models=False, allow_private_hosts=True, public_url=HTTPS)
    async def test_is_the_client_id_where_it_is_read(
        self, client: httpx.AsyncClient, server: ScriptedMcpServer
    ) -> None:
        origin = f"http://127.0.0.1:{server.port}"
        server.documents["/.well-known/oauth-protected-resource/mcp"] = {
            "resource": server.url,
            "authorization_servers": [origin],
        }
        server.documents["/.well-known/oauth-authorization-server"] = {
            "issuer": origin,
            "authorization_endpoint": f"{origin}/authorize",
            "token_endpoint": f"{origin}/token",
            "registration_endpoint": f"{origin}/register",
            "code_challenge_methods_supported": ["S256"],
            "client_id_metadata_document_supported": True,
        }
        created = await add_server(client, server.url, auth="oauth")

        url = (await begin(client, created["id"])).json()["url"]

        query = dict(parse_qsl(urlsplit(url).query))
        assert query["client_id"] == f"{self.HTTPS}/api/v1/mcp/client-metadata"
        assert all("/register" not in message.method for message in server.received)
        document = (await client.get("/mcp/client-metadata", headers={"Authorization": ""})).json()
        assert document["client_id"] == query["client_id"]
        assert document["redirect_uris"] == [query["redirect_uri"]]
        assert document["token_endpoint_auth_method"] == "none"

    async def test_needs_https(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/mcp/client-metadata")

        assert response.status_code == 404
        assert response.json()["type"].endswith("mcp-client-document-missing")


class TestSettings:
    @pytest.mark.harness(seed_models=False, allow_private_hosts=True)
    async def test_without_a_public_url(self, client: httpx.AsyncClient, service: Service) -> None:
        created = await add_server(client, service.mcp, auth="oauth")

        response = await begin(client, created["id"])

        assert response.json()["type"].endswith("public-url-missing")

    async def test_server_without_oauth(self, client: httpx.AsyncClient, service: Service) -> None:
        created = await add_server(client, service.mcp)

        assert (await begin(client, created["id"])).status_code == 409
