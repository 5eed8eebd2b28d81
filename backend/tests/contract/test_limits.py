"""Limits of body size, failed sign-ins and request rate."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.contract.conftest import running_server
from tests.support.database import BACKENDS, fresh_database
from tests.support.harness import SECRET_KEY
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with low limits."""
    folder: Path = tmp_path_factory.mktemp("strict") / "data"
    # One failure expires every 12 seconds: slow enough for a busy machine.
    server = ServerProcess(folder, AUTH_FAILURES_PER_MINUTE="5", MAX_REQUEST_BYTES="2000", ROLE="api").start()
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
    def test_limits_failures_but_not_the_owner(self, strict: ServerProcess) -> None:
        with strict.client("wrong") as attacker, strict.client() as owner:
            responses = [attacker.http.get("/api/v1/models") for _ in range(8)]
            last = responses[-1]

            assert responses[0].status_code == HTTPStatus.UNAUTHORIZED
            assert last.status_code == HTTPStatus.TOO_MANY_REQUESTS
            assert 1 <= int(last.headers["Retry-After"]) <= 60
            assert last.headers["Content-Type"] == "application/problem+json"
            assert owner.http.get("/api/v1/models").status_code == HTTPStatus.OK
            assert attacker.http.get("/health").status_code == HTTPStatus.OK


class TestRateLimit:
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_requests_above_the_rate_get_429(self, backend: str, tmp_path: Path) -> None:
        rate = {"RATE_LIMIT_PER_MINUTE": "6", "RATE_LIMIT_BURST": "20", "ROLE": "api"}
        with running_server(backend, tmp_path, **rate) as server, server.client() as client:
            responses = [client.http.get("/api/v1/models") for _ in range(22)]
            last = responses[-1]

            assert [response.status_code for response in responses] == [HTTPStatus.OK] * 20 + [
                last.status_code
            ] * 2
            assert last.status_code == HTTPStatus.TOO_MANY_REQUESTS
            assert last.json()["type"].endswith("/rate-limited")
            assert 1 <= int(last.headers["Retry-After"]) <= 10
            assert last.headers["RateLimit-Policy"] == '"default";q=20;w=200'
            assert last.headers["RateLimit"].startswith('"default";r=0;t=')
            assert client.http.get("/health").status_code == HTTPStatus.OK

    def test_processes_share_the_rate(self, tmp_path: Path) -> None:
        rate = {"RATE_LIMIT_PER_MINUTE": "6", "RATE_LIMIT_BURST": "20", "ROLE": "api"}
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
