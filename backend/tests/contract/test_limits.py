"""How much anybody may send, and how often they may guess."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.contract.conftest import serving
from tests.support.database import BACKENDS, fresh_database
from tests.support.harness import SECRET_KEY
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of its own, with limits that a test can reach."""
    folder: Path = tmp_path_factory.mktemp("strict") / "data"
    # One failure is forgiven every 12 seconds: few enough on a busy machine, too.
    server = ServerProcess(folder, AUTH_FAILURES_PER_MINUTE="5", MAX_REQUEST_BYTES="2000", ROLE="api").start()
    yield server
    server.stop()


def pieces() -> Iterator[bytes]:
    for _ in range(40):
        yield b"x" * 100


def test_a_body_above_the_limit_is_refused_declared_or_not(strict: ServerProcess) -> None:
    headers = {"Content-Type": "application/json"}
    with strict.client() as client:
        for content in (b"x" * 2001, pieces()):
            answer = client.http.post("/api/v1/yaml/validate", content=content, headers=headers)
            assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "2000 bytes" in answer.json()["detail"]
        fits = client.http.post("/api/v1/yaml/validate", json={"yamlContent": "x" * 1900})
        assert fits.status_code == HTTPStatus.OK


def test_a_guesser_has_to_wait_and_the_owner_does_not(strict: ServerProcess) -> None:
    with strict.client("wrong") as guesser, strict.client() as owner:
        answers = [guesser.http.get("/api/v1/models") for _ in range(8)]
        late = answers[-1]

        assert answers[0].status_code == HTTPStatus.UNAUTHORIZED
        assert late.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert 1 <= int(late.headers["Retry-After"]) <= 60
        assert late.headers["Content-Type"] == "application/problem+json"
        assert owner.http.get("/api/v1/models").status_code == HTTPStatus.OK
        assert guesser.http.get("/health").status_code == HTTPStatus.OK


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_key_has_its_rate_and_is_told_of_it(backend: str, tmp_path: Path) -> None:
    rate = {"RATE_LIMIT_PER_MINUTE": "6", "RATE_LIMIT_BURST": "20", "ROLE": "api"}
    with serving(backend, tmp_path, **rate) as server, server.client() as client:
        answers = [client.http.get("/api/v1/models") for _ in range(22)]
        late = answers[-1]

        assert [answer.status_code for answer in answers] == [HTTPStatus.OK] * 20 + [late.status_code] * 2
        assert late.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert late.json()["type"].endswith("/rate-limited")
        assert 1 <= int(late.headers["Retry-After"]) <= 10
        assert late.headers["RateLimit-Policy"] == '"default";q=20;w=200'
        assert late.headers["RateLimit"].startswith('"default";r=0;t=')
        assert client.http.get("/health").status_code == HTTPStatus.OK


def test_processes_on_one_database_share_the_rate_of_a_key(tmp_path: Path) -> None:
    rate = {"RATE_LIMIT_PER_MINUTE": "6", "RATE_LIMIT_BURST": "20", "ROLE": "api"}
    with fresh_database("postgresql", tmp_path) as url:
        # The sealing key is one for all of them.
        shared = rate | {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}
        servers = [ServerProcess(tmp_path / name, **shared).start() for name in ("one", "two")]
        try:
            with servers[0].client() as one, servers[1].client() as two:
                answers = [client.http.get("/api/v1/models") for _ in range(20) for client in (one, two)]
        finally:
            for server in servers:
                server.stop()

    assert sum(answer.status_code == HTTPStatus.OK for answer in answers) == 20
