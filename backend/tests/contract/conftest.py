"""One server process per database, shared by all contract tests; no test changes its settings."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.contract.seeded_workspace import SeededWorkspace
from tests.support.database import BACKENDS, fresh_database
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import ApiClient, ServerProcess

RECORDER = Path(__file__).parent / "egress_recorder"


@contextmanager
def running_server(backend: str, folder: Path, **settings: str) -> Iterator[ServerProcess]:
    """Run a server on a new database."""
    if backend == "sqlite":
        server = ServerProcess(folder / "data", **settings)
        yield server.start()
        server.stop()
        return
    with fresh_database("postgresql", folder) as url:
        server = ServerProcess(folder / "data", DATABASE_URL=url, **settings)
        yield server.start()
        server.stop()


class ServerPool:
    """Servers with the same settings, one per database, each started at its first use.

    They run until the end of the session: tests alternate between them, and a start takes many seconds.
    """

    def __init__(self, folder: Path, settings: Callable[[Path], dict[str, str]]) -> None:
        self._folder, self._settings = folder, settings
        self._stack = ExitStack()
        self._products: dict[str, ServerProcess] = {}

    def __getitem__(self, backend: str) -> ServerProcess:
        if backend not in self._products:
            folder = self._folder / backend
            folder.mkdir()
            server = running_server(backend, folder, **self._settings(folder))
            self._products[backend] = self._stack.enter_context(server)
        return self._products[backend]

    def close(self) -> None:
        self._stack.close()


def lenient_settings(_folder: Path) -> dict[str, str]:
    """Many of these tests send invalid tokens. Uploaded projects are not executed, and install nothing."""
    return {
        "AUTH_FAILURES_PER_MINUTE": "10000",
        "CHAT_WAIT_SECONDS": "5",
        "STOP_WAIT_SECONDS": "20",
        "PROJECTS": "off",
        "INDEX_URL": "http://127.0.0.1:9/simple",
    }


def recording_settings(folder: Path) -> dict[str, str]:
    """Record outgoing connections in the file `egress` next to the data directory."""
    recorder = {"PYTHONPATH": str(RECORDER), "EGRESS_RECORD": str(folder / "egress")}
    return {"LOG_LEVEL": "DEBUG", "CHAT_WAIT_SECONDS": "5", **recorder}


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerPool]:
    with closing(ServerPool(tmp_path_factory.mktemp("contract"), lenient_settings)) as pool:
        yield pool


@pytest.fixture(scope="session", params=BACKENDS)
def product(request: pytest.FixtureRequest, servers: ServerPool) -> ServerProcess:
    return servers[request.param]


@pytest.fixture(scope="session")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        yield scripted


class SeededWorkspaces:
    """A workspace with one object of every kind per server, each created at its first use."""

    def __init__(self, provider: ScriptedProvider) -> None:
        self._provider = provider
        self._seeded: dict[str, SeededWorkspace] = {}

    def of(self, product: ServerProcess) -> SeededWorkspace:
        if product.url not in self._seeded:
            with product.client() as client:
                self._seeded[product.url] = SeededWorkspace.create(client, self._provider)
        return self._seeded[product.url]


@pytest.fixture(scope="session")
def seeded_workspaces(provider: ScriptedProvider) -> SeededWorkspaces:
    return SeededWorkspaces(provider)


@pytest.fixture(scope="session")
def workspace(product: ServerProcess, seeded_workspaces: SeededWorkspaces) -> SeededWorkspace:
    """The seeded workspace of the test's server."""
    return seeded_workspaces.of(product)


@pytest.fixture
def client(product: ServerProcess) -> Iterator[ApiClient]:
    with product.client() as client:
        yield client


@pytest.fixture
def anonymous(product: ServerProcess) -> Iterator[httpx.Client]:
    """A client without a token."""
    with product.client(token=None) as client:
        yield client.http


@pytest.fixture(scope="session")
def recording_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerPool]:
    with closing(ServerPool(tmp_path_factory.mktemp("recording"), recording_settings)) as pool:
        yield pool


@pytest.fixture(scope="session", params=BACKENDS)
def recorded(request: pytest.FixtureRequest, recording_servers: ServerPool) -> ServerProcess:
    return recording_servers[request.param]
