"""A server process shared by most tests; each test has a separate scripted provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import fresh_database
from tests.support.environment import PROCESS_TEST_BACKENDS
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import ApiClient, ServerProcess


# TEST_PRODUCT_ON=sqlite,postgresql runs these tests on both databases.
@pytest.fixture(scope="session", params=PROCESS_TEST_BACKENDS)
def product(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("product")
    with fresh_database(request.param, folder) as url:
        server = ServerProcess(folder / "data", CHAT_WAIT_SECONDS="30", DATABASE_URL=url).start()
        yield server
        server.stop()


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        yield scripted


@pytest.fixture
def client(product: ServerProcess, provider: ScriptedProvider) -> Iterator[ApiClient]:
    """An authenticated client of a server whose default model is the test's scripted provider."""
    with product.client() as authenticated:
        for previous in authenticated.get("/api/providers")["providers"]:
            authenticated.http.delete(f"/api/providers/{previous['id']}", params={"force": True})
        authenticated.register_provider(provider.base_url)
        yield authenticated
        # A run that is still active would call the next test's provider.
        active = ["queued", "running", "waiting", "stopping"]
        for run in authenticated.get("/api/runs", status=active, limit=200)["runs"]:
            authenticated.http.post(f"/api/runs/{run['id']}/stop")
