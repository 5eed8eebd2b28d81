"""One server process for each database, shared by the whole folder; the tests change no setting of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.contract.world import World
from tests.support.database import BACKENDS, fresh_database
from tests.support.product import Client, Product
from tests.support.scripted_provider import ScriptedProvider

RECORDER = Path(__file__).parent / "egress_recorder"


@contextmanager
def serving(backend: str, folder: Path, **settings: str) -> Iterator[Product]:
    """A server on a new database of this kind."""
    if backend == "sqlite":
        server = Product(folder / "data", **settings)
        yield server.start()
        server.stop()
        return
    with fresh_database("postgresql", folder) as url:
        server = Product(folder / "data", DATABASE_URL=url, **settings)
        yield server.start()
        server.stop()


@pytest.fixture(scope="session", params=BACKENDS)
def product(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A server that forgives wrong tokens, as these tests send many."""
    folder = tmp_path_factory.mktemp("contract")
    settings = {"AUTH_FAILURES_PER_MINUTE": "10000", "CHAT_WAIT_SECONDS": "5", "STOP_WAIT_SECONDS": "20"}
    with serving(request.param, folder, **settings) as server:
        yield server


@pytest.fixture(scope="session")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        yield scripted


@pytest.fixture(scope="session")
def world(product: Product, provider: ScriptedProvider) -> World:
    """One object of every kind, known by its id."""
    with product.client() as client:
        return World.make(client, provider)


@pytest.fixture
def client(product: Product) -> Iterator[Client]:
    with product.client() as signed_in:
        yield signed_in


@pytest.fixture
def outside(product: Product) -> Iterator[httpx.Client]:
    """A client without a token."""
    with product.client(token=None) as nobody:
        yield nobody.http


@pytest.fixture(scope="session", params=BACKENDS)
def observed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A talkative server whose outgoing connections are written to `egress` beside its data folder."""
    folder = tmp_path_factory.mktemp("observed")
    recorder = {"PYTHONPATH": str(RECORDER), "EGRESS_RECORD": str(folder / "egress")}
    with serving(request.param, folder, LOG_LEVEL="DEBUG", CHAT_WAIT_SECONDS="5", **recorder) as server:
        yield server
