"""Limits of body size, failed sign-ins and request rate."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.contract.conftest import running_server
from tests.support.database import BACKENDS, fresh_database
from tests.support.harness import SECRET_KEY
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.process
GUESS = [Subprotocol("crewai-runner"), Subprotocol("bearer.wrong")]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with low limits."""
    folder: Path = tmp_path_factory.mktemp("strict") / "data"
    # One failure expires every 30 seconds: slow enough for a busy machine.
    server = ServerProcess(
        folder,
        AUTH_FAILURES_PER_MINUTE="2",
        MAX_REQUEST_BYTES="2000",
        ROLE="api",
        TRUSTED_PROXIES="127.0.0.0/8",
    ).start()
    yield server
    server.stop()


def chunked_body() -> Iterator[bytes]:
    for _ in range(40):
        yield b"x" * 100


class TestBodyLimit:
    def test_large_body_is_rejected_with_and_without_length(self, strict: ServerProcess) -> None:
        headers = {"Content-Type": "application/json"}
        with strict.client() as client:
            for content in (b"x" * 2001, chunked_body()):
                response = client.http.post("/api/v1/yaml/validate", content=content, headers=headers)
                assert response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                assert response.headers["Content-Type"] == "application/problem+json"
                assert "2000 bytes" in response.json()["detail"]
            fits = client.http.post("/api/v1/yaml/validate", json={"yamlContent": "x" * 1900})
            assert fits.status_code == HTTPStatus.OK


class TestSignInLimit:
    def test_refuses_every_key_of_an_address_before_comparing_it(self, strict: ServerProcess) -> None:
        guesser, owner = "203.0.113.7", "203.0.113.8"
        with strict.client("wrong") as attacker, strict.client() as right:
            responses = [
                attacker.http.get("/api/v1/models", headers={"X-Forwarded-For": f"192.0.2.{n}, {guesser}"})
                for n in range(5)
            ]
            for path in ("/api/v1/models", "/api/v1/runs/run_1/stream"):
                refused = right.http.get(path, headers={"X-Forwarded-For": guesser})
                assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
                assert 1 <= int(refused.headers["Retry-After"]) <= 60
                assert refused.headers["Content-Type"] == "application/problem+json"
            elsewhere = right.http.get("/api/v1/models", headers={"X-Forwarded-For": owner})
            alive = attacker.http.get("/health", headers={"X-Forwarded-For": guesser})

        assert [response.status_code for response in responses] == [401] * 2 + [429] * 3
        assert (elsewhere.status_code, alive.status_code) == (HTTPStatus.OK, HTTPStatus.OK)

    def test_refuses_websockets(self, strict: ServerProcess) -> None:
        url = strict.url.replace("http", "ws") + "/api/v1/runs/run_1/ws"
        address = {"X-Forwarded-For": "203.0.113.20"}
        statuses = []
        for _ in range(3):
            with pytest.raises(InvalidStatus) as raised:
                connect(url, proxy=None, subprotocols=GUESS, additional_headers=address)
            statuses.append(raised.value.response.status_code)

        assert statuses == [403] * 2 + [429]
        assert 1 <= int(raised.value.response.headers["Retry-After"]) <= 60

    def test_forwarded_address_of_an_untrusted_client_is_ignored(self, tmp_path: Path) -> None:
        with (
            running_server("sqlite", tmp_path, AUTH_FAILURES_PER_MINUTE="2", ROLE="api") as server,
            server.client("wrong") as attacker,
        ):
            statuses = [
                attacker.http.get("/api/v1/models", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code
                for n in range(4)
            ]

        assert statuses == [401, 401, 429, 429]


class TestRateLimit:
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_requests_above_the_rate_get_429(self, backend: str, tmp_path: Path) -> None:
        # One token a minute: none comes back while the test runs.
        rate = {"RATE_LIMIT_PER_MINUTE": "1", "RATE_LIMIT_BURST": "20", "ROLE": "api"}
        with running_server(backend, tmp_path, **rate) as server, server.client() as client:
            responses = [client.http.get("/api/v1/models") for _ in range(22)]
            last = responses[-1]

            assert [response.status_code for response in responses] == [HTTPStatus.OK] * 20 + [
                last.status_code
            ] * 2
            assert last.status_code == HTTPStatus.TOO_MANY_REQUESTS
            assert last.json()["type"].endswith("/rate-limited")
            assert 1 <= int(last.headers["Retry-After"]) <= 60
            assert last.headers["RateLimit-Policy"] == '"default";q=20;w=1200'
            assert last.headers["RateLimit"].startswith('"default";r=0;t=')
            assert client.http.get("/health").status_code == HTTPStatus.OK

    def test_processes_share_the_rate(self, tmp_path: Path) -> None:
        # One token a minute: none comes back while the test runs.
        rate = {"RATE_LIMIT_PER_MINUTE": "1", "RATE_LIMIT_BURST": "20", "ROLE": "api"}
        with fresh_database("postgresql", tmp_path) as url:
            # All processes need the same encryption key.
            shared = rate | {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}
            servers = [ServerProcess(tmp_path / name, **shared).start() for name in ("one", "two")]
            try:
                with servers[0].client() as one, servers[1].client() as two:
                    responses = [
                        client.http.get("/api/v1/models") for _ in range(20) for client in (one, two)
                    ]
            finally:
                for server in servers:
                    server.stop()

        assert sum(response.status_code == HTTPStatus.OK for response in responses) == 20
