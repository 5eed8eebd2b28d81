"""New, fully migrated databases for tests, on SQLite and PostgreSQL.

Each database is a copy of a template that the migrations created once. PostgreSQL: TEST_POSTGRES_URL,
else a server on the standard loopback port, else one started from the development dependencies.
"""

import functools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL, make_url

from crewai_runner.db.migrate import upgrade
from crewai_runner.queue.dbos import make_tables
from tests.support.postgresql_server import start_postgresql

BACKENDS = ("sqlite", "postgresql")
LOOPBACK = ("postgresql://postgres@127.0.0.1:5432/postgres", "postgresql://root@127.0.0.1:5432/postgres")


@contextmanager
def fresh_database(backend: str, folder: Path, *, with_queue: bool = False) -> Iterator[str]:
    """Yield the URL of a new database with the latest schema; drop it afterwards.

    `with_queue`: with the queue's tables too, which a server creates when it starts.
    """
    if backend == "sqlite":
        target = folder / "crewai-runner.db"
        shutil.copyfile(_sqlite_template(with_queue), target)
        yield f"sqlite:///{target}"
        return
    with empty_postgresql(_postgresql_template(with_queue)) as url:
        yield url


@contextmanager
def empty_postgresql(template: str = "template0") -> Iterator[str]:
    """Yield the URL of a new PostgreSQL database, empty by default; drop it afterwards."""
    name = f"crewai_runner_test_{uuid.uuid4().hex[:12]}"
    _execute(
        f'CREATE DATABASE "{name}" TEMPLATE "{template}"',
        # No test needs its rows after a crash of the database server, so no commit waits for the disk.
        f'ALTER DATABASE "{name}" SET synchronous_commit = off',
    )
    try:
        yield _database_url(name)
    finally:
        _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


_removals: list[Callable[[], None]] = []


@functools.cache
def _sqlite_template(with_queue: bool) -> Path:
    path = Path(tempfile.mkdtemp(prefix="crewai-runner-template-")) / "template.db"
    _removals.append(lambda: shutil.rmtree(path.parent, ignore_errors=True))
    _make_template(f"sqlite:///{path}", with_queue)
    return path


@functools.cache
def _postgresql_template(with_queue: bool) -> str:
    name = f"crewai_runner_template_{os.getpid()}_{uuid.uuid4().hex[:6]}"
    _execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    _removals.append(lambda: _execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    _make_template(_database_url(name), with_queue)
    return name


def _make_template(url: str, with_queue: bool) -> None:
    upgrade(url)
    if with_queue:
        make_tables(url)


def drop_templates() -> None:
    """Remove the template databases at the end of the test session."""
    while _removals:
        _removals.pop()()


def _execute(*statements: str) -> None:
    with psycopg.connect(_server(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]  # generated names


def _database_url(name: str) -> str:
    parts = conninfo_to_dict(_server())
    host = str(parts.get("host", ""))
    query = {"host": host} if host.startswith("/") else {}
    url = URL.create(
        "postgresql",
        username=str(parts.get("user", "postgres")),
        password=None if parts.get("password") is None else str(parts["password"]),
        host=None if query else host or "127.0.0.1",
        port=None if query else int(str(parts.get("port") or 5432)),
        database=name,
        query=query,
    )
    return url.render_as_string(hide_password=False)


@functools.cache
def _server() -> str:
    """Return the URL of a PostgreSQL server on which the tests can create databases."""
    candidates = [os.environ["TEST_POSTGRES_URL"]] if os.environ.get("TEST_POSTGRES_URL") else LOOPBACK
    for candidate in candidates:
        try:
            psycopg.connect(candidate, connect_timeout=2).close()
        except psycopg.OperationalError:
            continue
        return candidate
    return _start_server()


def _start_server() -> str:
    server = start_postgresql(Path(tempfile.mkdtemp(prefix="crewai-runner-pg-")))
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Without this, creating and dropping databases waits for the disk; the data ends with the session.
        for statement in (
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "SELECT pg_reload_conf()",
        ):
            connection.execute(statement)
    return str(server.get_uri())


def is_postgresql(url: str) -> bool:
    return make_url(url).get_backend_name() == "postgresql"
