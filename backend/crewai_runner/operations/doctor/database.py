"""The database: reached, of this build's schema, whole, of the same time of day."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, NullPool, create_engine, text

from crewai_runner.core import clock
from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import current_revision, head_revision, is_known_revision
from crewai_runner.operations.backup import sqlite_file
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn
from crewai_runner.operations.postgres_copy import connected

SKEW_SECONDS = 2.0
WORST_SKEW_SECONDS = 30.0
_FROM_BACKUP = "restore the last backup (crewai-runner restore), or ask before you write to it again"
_INVALID_INDEXES = text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
_TIME = text("SELECT extract(epoch FROM clock_timestamp())")


@contextmanager
def looking(settings: Settings) -> Iterator[Connection]:
    """A connection that makes no database where there is none. Raises SQLAlchemyError."""
    if not settings.is_embedded:
        with connected(settings.database) as connection:
            yield connection
        return
    address = f"sqlite:///{sqlite_file(settings).absolute().as_uri()}?mode=rw&uri=true"
    with create_engine(address, poolclass=NullPool).connect() as connection:
        yield connection


def state(connection: Connection) -> Iterator[Finding]:
    yield ok("database", f"{_version(connection)} answers")
    yield _schema(connection)
    yield from _integrity(connection)
    yield _clock(connection)


def _version(connection: Connection) -> str:
    if connection.dialect.name == "sqlite":
        return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar()}"
    return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar()}"


def _schema(connection: Connection) -> Finding:
    here, newest = current_revision(connection), head_revision()
    if here == newest:
        return ok("schema", f"revision {here}, the newest")
    if here is None:
        return warn(
            "schema", "there are no tables yet", "the first start makes them, or crewai-runner migrate"
        )
    if is_known_revision(here):
        return warn(
            "schema", f"revision {here}, this build has {newest}", "back up, then crewai-runner migrate"
        )
    return fail(
        "schema", f"revision {here} is newer than this build's {newest}", "install the newer build again"
    )


def _integrity(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name != "sqlite":
        broken = connection.execute(_INVALID_INDEXES).scalar()
        if broken:
            yield warn(
                "integrity", f"{broken} index(es) are invalid", "REINDEX DATABASE CONCURRENTLY mends them"
            )
        else:
            yield ok("integrity", "every index is valid")
        return
    wrong = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    if wrong != "ok":
        yield fail("integrity", f"quick_check: {wrong.splitlines()[-1]}", _FROM_BACKUP)
        return
    loose = len(connection.execute(text("PRAGMA foreign_key_check")).all())
    if loose:
        yield fail("integrity", f"{loose} row(s) refer to rows that are not there", _FROM_BACKUP)
    else:
        yield ok("integrity", "pages, indexes and references are whole")


def _clock(connection: Connection) -> Finding:
    if connection.dialect.name == "sqlite":
        return ok("clock", "the database has this machine's")
    there = float(connection.execute(_TIME).scalar() or 0)
    skew = abs(clock.now().timestamp() - there)
    hint = "set both clocks by NTP: leases and delays are judged by the database's"
    if skew > WORST_SKEW_SECONDS:
        return fail("clock", f"{skew:,.0f} s away from the database's", hint)
    if skew > SKEW_SECONDS:
        return warn("clock", f"{skew:.1f} s away from the database's", hint)
    return ok("clock", "as the database's")
