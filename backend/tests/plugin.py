"""The fixtures shared by all tests, and the hooks of the test run.

A test that uses `database_url`, directly or through another fixture, runs on SQLite. Mark tests whose
statements, locks or errors differ between the databases with `each_database`: they run once on SQLite and
once on PostgreSQL. The contract tests call every operation on both. Mark a module with `harness` to change
how its harness is opened:

    pytestmark = pytest.mark.harness(seed_models=False, allow_private_hosts=True)

Keyword arguments are those of `open_harness`; `fake_local_model=True` replaces the built-in model.
"""

import faulthandler
import logging
import os
from collections.abc import AsyncIterator, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
import pytest
import structlog
from argon2 import PasswordHasher
from fastapi import FastAPI
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncSession
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

from crewai_runner.core.principal import Principal
from crewai_runner.core.settings import Settings
from crewai_runner.db import sqlite
from crewai_runner.db.base import Base
from crewai_runner.db.session import Sessions, make_engine, make_sessions, unit_of_work
from crewai_runner.db.sqlite import configure_connection
from crewai_runner.features.people import passwords
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.main import create_app
from crewai_runner.wiring.container import Container
from tests.support.catalog import PROVIDER_KEY, CatalogHarness, FakeLocalModel
from tests.support.database import BACKENDS, drop_templates, fresh_database
from tests.support.environment import MISSING_FRONTEND_DIR
from tests.support.harness import RunHarness, open_harness, seed_workspaces
from tests.support.principals import OWNER, STRANGER, SubjectAuthenticator, auth_headers, browser_sessions
from tests.support.server_template import close_server_template

EMPTY_ALL_TABLES = SQL("; ").join(
    SQL("DELETE FROM {}").format(Identifier(table.name)) for table in reversed(Base.metadata.sorted_tables)
)
TEARDOWN_TIMEOUT_SECONDS = 120
MAX_WORKERS = 4
SHARING_FOLDER = "tests/contract/"
"""Its files share servers that run until the end of the session."""
FILE_MODE_MASK = 0o022
SLOW_FOLDERS = ("tests/db/", "tests/operations/", "tests/queue/")

# A dashboard that happens to be built on this machine must not change what the tests of the API see.
os.environ["FRONTEND_DIR"] = str(MISSING_FRONTEND_DIR)

# Rendering tracebacks with local variables takes longer than the tests that log them.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


# A password takes 64 MiB and 50 ms of several cores with argon2's own parameters.
setattr(passwords, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1))  # noqa: B010


def _configure_without_syncing(connection: DBAPIConnection) -> None:
    configure_connection(connection)
    connection.cursor().execute("PRAGMA synchronous=OFF")


# No test in this process needs its rows after a crash of the machine, so no commit waits for the disk.
setattr(sqlite, "configure_connection", _configure_without_syncing)  # noqa: B010


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """For tests that configure the product's logging: the test run's is restored afterwards."""
    root, structured = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structured)


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One migrated PostgreSQL database for the whole session."""
    with fresh_database("postgresql", tmp_path_factory.mktemp("postgresql")) as url:
        yield url


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases of a test, unless it names them itself (see `ON_SQLITE`, `ON_POSTGRESQL`)."""
    chosen = metafunc.definition.iter_markers("parametrize")
    if "database_url" not in metafunc.fixturenames or any(mark.args[0] == "database_url" for mark in chosen):
        return
    is_each = metafunc.definition.get_closest_marker("each_database") is not None
    metafunc.parametrize("database_url", BACKENDS if is_each else BACKENDS[:1], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database: a new SQLite file, or the shared PostgreSQL database after a clean-up."""
    if request.param == "sqlite":
        with fresh_database("sqlite", tmp_path) as url:
            yield url
        return
    url = request.getfixturevalue("postgresql_url")
    with psycopg.connect(url) as connection:
        connection.execute(EMPTY_ALL_TABLES)
    yield url


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    """A session factory on the database, which contains two workspaces."""
    engine = make_engine(database_url)
    factory = make_sessions(engine)
    async with unit_of_work(factory) as session:
        await seed_workspaces(session)
    yield factory
    await engine.dispose()


@pytest.fixture
async def session(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A session that is rolled back after the test."""
    async with sessions() as opened:
        yield opened
        await opened.rollback()


@pytest.fixture
def principal() -> Principal:
    """A principal of the built-in workspace with every scope."""
    return OWNER


@pytest.fixture
def stranger() -> Principal:
    """A principal of another workspace with every scope."""
    return STRANGER


@pytest.fixture
async def harness(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[RunHarness]:
    """An open harness; its queue starts no job by itself."""
    marker = request.node.get_closest_marker("harness")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    has_fake_local_model = options.pop("fake_local_model", False)
    async with open_harness(database_url, tmp_path, **options) as opened:
        if has_fake_local_model:
            opened.container.local_model = cast("LocalModelSupervisor", FakeLocalModel())
        yield opened


@pytest.fixture
def container(harness: RunHarness) -> Container:
    return harness.container


@pytest.fixture
def catalog(container: Container) -> CatalogHarness:
    return CatalogHarness(container)


@pytest.fixture(scope="session")
def application() -> FastAPI:
    """The whole application, built once; `app` sets its state for each test."""
    return create_app(Settings.model_construct())


@pytest.fixture
def app(application: FastAPI, container: Container) -> FastAPI:
    """The application on this test's container; its lifespan, which would start a process, does not run."""
    container.authenticator = SubjectAuthenticator()
    container.browser_sessions = browser_sessions(container)
    application.state.container, application.state.mask = container, container.mask
    application.state.telemetry = container.telemetry
    application.state.rate_limiter = container.rate_limiter
    return application


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the API that authenticates as the owner unless a request has other headers."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test/api/v1", headers=auth_headers(OWNER.subject)
    ) as opened:
        yield opened


@pytest.fixture
async def stored_provider(client: httpx.AsyncClient) -> dict[str, Any]:
    """A registered provider whose key is a canary."""
    body = {"name": "OpenAI", "type": "openai", "apiKey": PROVIDER_KEY, "models": ["gpt-4o"]}
    response = await client.post("/providers", json={"provider": body})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()["provider"]
    return created


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "each_database: runs on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "harness(**options): how the harness of this module is opened")


def pytest_xdist_auto_num_workers() -> int:
    """Return two more workers than cores: many tests wait for a process. Each needs about 1 GB of memory."""
    return min(MAX_WORKERS, (os.cpu_count() or 1) + 2)


class OneProcessPerFolder(LoadFileScheduling):
    """Runs each file in one process, and the folder whose files share servers in one, too."""

    def _split_scope(self, nodeid: str) -> str:
        return SHARING_FOLDER if nodeid.startswith(SHARING_FOLDER) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Replace `--dist loadfile`: starting and seeding the shared servers takes 20 seconds in each process."""
    return OneProcessPerFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow files first, then the files that share servers, then the many fast ones."""
    slow = {
        item.path
        for item in items
        if item.get_closest_marker("process") or item.nodeid.startswith(SLOW_FOLDERS)
    }
    items.sort(key=lambda item: (item.path not in slow, not item.nodeid.startswith(SHARING_FOLDER)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Abort a teardown that hangs, which the timeout plugin does not watch when the test itself fails.

    Commands that a test has called in this process changed its file mode mask.
    """
    faulthandler.dump_traceback_later(TEARDOWN_TIMEOUT_SECONDS, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
        os.umask(FILE_MODE_MASK)


def pytest_sessionfinish() -> None:
    close_server_template()
    drop_templates()
