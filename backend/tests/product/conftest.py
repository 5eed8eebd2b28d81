"""One server process for most tests; each test has a scripted provider of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import fresh_database
from tests.support.environment import PROCESS_TEST_BACKENDS
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import ApiClient, ServerProcess


# TEST_PRODUCT_ON=sqlite,postgresql runs these tests on both; contracts and survival are on both anyway.
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
    """A signed-in client of a server whose default model is the test's scripted provider."""
    with product.client() as signed_in:
        for old in signed_in.get("/api/providers")["providers"]:
            signed_in.http.delete(f"/api/providers/{old['id']}", params={"force": True})
        signed_in.register_provider(provider.base_url)
        yield signed_in
        # A run left at work would ask the next test's provider.
        left = ["queued", "running", "waiting", "stopping"]
        for run in signed_in.get("/api/runs", status=left, limit=200)["runs"]:
            signed_in.http.post(f"/api/runs/{run['id']}/stop")
