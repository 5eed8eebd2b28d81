"""Database checks: connection, schema, integrity, clock."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, NullPool, create_engine, text

from crewai_runner.core import clock
from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import current_revision, head_revision, is_known_revision
from crewai_runner.db.tables.run_search import FULL_TEXT_TABLE, INDEX, RunSearchRow
from crewai_runner.operations.backup import sqlite_path
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn
from crewai_runner.operations.postgres_copy import connect

SKEW_SECONDS = 2.0
MAX_SKEW_SECONDS = 30.0
_RESTORE_HINT = "restore the last backup (crewai-runner restore); do not write to it before"
_INVALID_INDEXES = text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
_CONNECTIONS = text("""
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
           count(*), count(*) FILTER (WHERE datname = current_database())
    FROM pg_stat_activity WHERE datid IS NOT NULL
""")
_SEARCH_INDEX = {
    "sqlite": f"SELECT name FROM sqlite_master WHERE name = '{FULL_TEXT_TABLE}'",  # noqa: S608 - a constant
    "postgresql": f"SELECT to_regclass('{INDEX}')",
}
_SEARCH_HINT = {
    "sqlite": "a database that a Python whose SQLite has FTS5 creates has one",
    "postgresql": "as an administrator of the database: CREATE EXTENSION pg_trgm; CREATE INDEX CONCURRENTLY "
    f"{INDEX} ON {RunSearchRow.__tablename__} USING gin (text gin_trgm_ops)",
}
_TIME = text("SELECT extract(epoch FROM clock_timestamp())")


@contextmanager
def connect_without_creating(settings: Settings) -> Iterator[Connection]:
    """Connect without creating a database. Raises SQLAlchemyError."""
    if not settings.is_embedded:
        with connect(settings.database) as connection:
            yield connection
        return
    url = f"sqlite:///{sqlite_path(settings).absolute().as_uri()}?mode=rw&uri=true"
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection


def check_database(connection: Connection, per_process: int) -> Iterator[Finding]:
    """Check a database of which each process opens at most `per_process` connections."""
    yield ok("database", f"{_describe_version(connection)} is available")
    if connection.dialect.name == "postgresql":
        yield _check_connections(connection, per_process)
    yield _check_schema(connection)
    yield from _check_integrity(connection)
    if current_revision(connection) == head_revision():
        yield _check_search(connection)
    yield _check_clock(connection)


def _describe_version(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar()}"
    return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar()}"


def _check_connections(connection: Connection, per_process: int) -> Finding:
    """Whether the server has room for the processes that are connected, and for one more."""
    limit, used, ours = connection.execute(_CONNECTIONS).one()
    fitting = limit // per_process
    count = f"{limit} connections, {used} in use, {ours} of them to this database"
    hint = (
        "raise max_connections of PostgreSQL, or lower DATABASE_CONNECTIONS: multiplied by the number of "
        "processes it must stay below max_connections"
    )
    if fitting == 0:
        return fail("connections", f"{count}; one process may open {per_process}", hint)
    if limit - used < per_process:
        return warn("connections", f"{count}: no room for one more process with up to {per_process}", hint)
    return ok("connections", f"{count}; enough for {fitting} processes with up to {per_process} each")


def _check_schema(connection: Connection) -> Finding:
    revision, newest = current_revision(connection), head_revision()
    if revision == newest:
        return ok("schema", f"revision {revision} (newest)")
    if revision is None:
        return warn("schema", "there are no tables yet", "start the server or run crewai-runner migrate")
    if is_known_revision(revision):
        return warn(
            "schema",
            f"revision {revision}, this version has {newest}",
            "back up, then run crewai-runner migrate",
        )
    return fail(
        "schema",
        f"revision {revision} is newer than this version's {newest}",
        "install the newer version again",
    )


def _check_integrity(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name != "sqlite":
        broken = connection.execute(_INVALID_INDEXES).scalar()
        if broken:
            yield warn("integrity", f"{broken} index(es) are invalid", "run REINDEX DATABASE CONCURRENTLY")
        else:
            yield ok("integrity", "all indexes are valid")
        return
    problem = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    if problem != "ok":
        yield fail("integrity", f"quick_check: {problem.splitlines()[-1]}", _RESTORE_HINT)
        return
    dangling = len(connection.execute(text("PRAGMA foreign_key_check")).all())
    if dangling:
        yield fail("integrity", f"{dangling} row(s) reference missing rows", _RESTORE_HINT)
    else:
        yield ok("integrity", "pages, indexes and references are intact")


def _check_search(connection: Connection) -> Finding:
    dialect = connection.dialect.name
    if connection.execute(text(_SEARCH_INDEX[dialect])).scalar() is None:
        return warn("search", "reads the texts of all runs: there is no index", _SEARCH_HINT[dialect])
    return ok("search", "finds runs by an index")


def _check_clock(connection: Connection) -> Finding:
    if connection.dialect.name == "sqlite":
        return ok("clock", "the database uses this machine's clock")
    database_time = float(connection.execute(_TIME).scalar() or 0)
    skew = abs(clock.now().timestamp() - database_time)
    hint = "synchronise both clocks with NTP: leases and delays use the database's clock"
    if skew > MAX_SKEW_SECONDS:
        return fail("clock", f"{skew:,.0f} s off the database's clock", hint)
    if skew > SKEW_SECONDS:
        return warn("clock", f"{skew:.1f} s off the database's clock", hint)
    return ok("clock", "matches the database's")
