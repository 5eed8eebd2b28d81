"""One server process for each database, shared by the whole folder; the tests change no setting of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.contract.world import World
from tests.support.database import BACKENDS, fresh_database
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_process import ApiClient, ServerProcess

RECORDER = Path(__file__).parent / "egress_recorder"


@contextmanager
def serving(backend: str, folder: Path, **settings: str) -> Iterator[ServerProcess]:
    """A server on a new database of this kind."""
    if backend == "sqlite":
        server = ServerProcess(folder / "data", **settings)
        yield server.start()
        server.stop()
        return
    with fresh_database("postgresql", folder) as url:
        server = ServerProcess(folder / "data", DATABASE_URL=url, **settings)
        yield server.start()
        server.stop()


class Servers:
    """Servers with the same settings, one on each kind of database; each starts when it is first asked for.

    Both live to the end: tests ask for one and the other by turns, and a start takes many seconds.
    """

    def __init__(self, folder: Path, settings: Callable[[Path], dict[str, str]]) -> None:
        self._folder, self._settings = folder, settings
        self._stack = ExitStack()
        self._products: dict[str, ServerProcess] = {}

    def __getitem__(self, backend: str) -> ServerProcess:
        if backend not in self._products:
            folder = self._folder / backend
            folder.mkdir()
            server = serving(backend, folder, **self._settings(folder))
            self._products[backend] = self._stack.enter_context(server)
        return self._products[backend]

    def close(self) -> None:
        self._stack.close()


def forgiving(_folder: Path) -> dict[str, str]:
    """Many of these tests send wrong tokens."""
    return {"AUTH_FAILURES_PER_MINUTE": "10000", "CHAT_WAIT_SECONDS": "5", "STOP_WAIT_SECONDS": "20"}


def talkative(folder: Path) -> dict[str, str]:
    """Outgoing connections are written to `egress` beside the data folder."""
    recorder = {"PYTHONPATH": str(RECORDER), "EGRESS_RECORD": str(folder / "egress")}
    return {"LOG_LEVEL": "DEBUG", "CHAT_WAIT_SECONDS": "5", **recorder}


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with closing(Servers(tmp_path_factory.mktemp("contract"), forgiving)) as made:
        yield made


@pytest.fixture(scope="session", params=BACKENDS)
def product(request: pytest.FixtureRequest, servers: Servers) -> ServerProcess:
    return servers[request.param]


@pytest.fixture(scope="session")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        yield scripted


@pytest.fixture(scope="session")
def worlds() -> dict[str, World]:
    """By the address of the server they are in."""
    return {}


@pytest.fixture(scope="session")
def world(product: ServerProcess, provider: ScriptedProvider, worlds: dict[str, World]) -> World:
    """One object of every kind, known by its id."""
    if product.url not in worlds:
        with product.client() as client:
            worlds[product.url] = World.make(client, provider)
    return worlds[product.url]


@pytest.fixture
def client(product: ServerProcess) -> Iterator[ApiClient]:
    with product.client() as signed_in:
        yield signed_in


@pytest.fixture
def outside(product: ServerProcess) -> Iterator[httpx.Client]:
    """A client without a token."""
    with product.client(token=None) as nobody:
        yield nobody.http


@pytest.fixture(scope="session")
def observed_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with closing(Servers(tmp_path_factory.mktemp("observed"), talkative)) as made:
        yield made


@pytest.fixture(scope="session", params=BACKENDS)
def observed(request: pytest.FixtureRequest, observed_servers: Servers) -> ServerProcess:
    return observed_servers[request.param]
