"""Fixtures that every folder may use."""

import faulthandler
import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.db.session import Sessions, make_engine, make_sessions, unit_of_work
from crewai_runner.db.tables.workspaces import WorkspaceRow
from tests.support.database import BACKENDS, drop_templates, fresh_database
from tests.support.places import NO_DASHBOARD

STRANGERS = "ws_strangers"
TEARDOWN_SECONDS = 120

# Whether a dashboard happens to be built here must not change what the API's tests see.
os.environ["FRONTEND_DIR"] = str(NO_DASHBOARD)

# A traceback drawn with every local variable takes longer than the test that shows it.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database of the newest schema, once on SQLite and once on PostgreSQL."""
    with fresh_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    """Sessions on the fresh database, which holds two workspaces."""
    engine = make_engine(database_url)
    made = make_sessions(engine)
    async with unit_of_work(made) as session:
        session.add(WorkspaceRow(id=BUILTIN_WORKSPACE, name="Default"))
        session.add(WorkspaceRow(id=STRANGERS, name="Strangers"))
    yield made
    await engine.dispose()


@pytest.fixture
async def session(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A session whose work is rolled back."""
    async with sessions() as opened:
        yield opened
        await opened.rollback()


@pytest.fixture
def principal() -> Principal:
    return Principal("api-key", BUILTIN_WORKSPACE, frozenset(Scope))


@pytest.fixture
def stranger() -> Principal:
    """Somebody of another workspace, with every right there."""
    return Principal("stranger", STRANGERS, frozenset(Scope))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, and last those whose servers live to the end: even idle they take time."""
    shared = {item.path for item in items if item.path.parent.name in ("contract", "product")}
    slow = {item.path for item in items if item.get_closest_marker("process")} - shared
    items.sort(key=lambda item: (item.path not in slow, item.path in shared))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """The time-out of a test ends where it fails: what then hangs while it is cleared away ends here."""
    faulthandler.dump_traceback_later(TEARDOWN_SECONDS, exit=True)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_sessionfinish() -> None:
    drop_templates()
