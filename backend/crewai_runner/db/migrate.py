"""Migrate a database to the current schema, in one process at a time."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK_ID = 7_204_511_309


def sync_url(database_url: str) -> str:
    """Return the URL of the same database for a synchronous driver."""
    url = make_url(database_url)
    driver = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return url.set(drivername=driver).render_as_string(hide_password=False)


def alembic_config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sync_url(database_url)
    return config


def head_revision() -> str | None:
    return _scripts().get_current_head()


def is_known_revision(revision: str) -> bool:
    """Return whether this build contains the migration with this revision."""
    return any(script.revision == revision for script in _scripts().walk_revisions())


def current_revision(connection: Connection) -> str | None:
    """Return the schema revision of a database, None for one without the product's tables."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(database_url: str) -> None:
    """Run all pending migrations. Concurrent calls wait for each other."""
    config = alembic_config(database_url)
    engine = create_engine(config.attributes["url"])
    try:
        with _migration_file_lock(database_url), engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                # Applies to a new file only, and only before its first page is written.
                connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")
            upgrade_within(connection, config)
            connection.commit()
    finally:
        engine.dispose()


def upgrade_within(connection: Connection, config: Config, revision: str = "head") -> None:
    """Run the migrations up to a revision in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": ADVISORY_LOCK_ID})
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def upgrade_async(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url)


@contextmanager
def _migration_file_lock(database_url: str) -> Iterator[None]:
    """Hold a lock file next to an SQLite database; PostgreSQL uses an advisory lock instead."""
    database = make_url(database_url).database
    if not database_url.startswith("sqlite") or not database or database == ":memory:":
        yield
        return
    Path(database).parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{database}.migrating"):
        yield


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config)
