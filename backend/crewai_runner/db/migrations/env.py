"""Alembic environment: migrates the given connection, or the configured database."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine

from crewai_runner.core.settings import Settings
from crewai_runner.db import tables
from crewai_runner.db.base import Base
from crewai_runner.db.migrate import sync_url
from crewai_runner.db.tables.run_search import is_search_index

config = context.config
assert tables  # noqa: S101  # the import registers the tables


def is_own(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:  # noqa: ARG001
    """Exclude the tables of the queue engine in the same database, and the index for searches."""
    return not is_search_index(name) and (kind != "table" or name in Base.metadata.tables)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=is_own,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


connection_in_use = config.attributes.get("connection")
if connection_in_use is not None:
    run(connection_in_use)
else:
    engine = create_engine(config.attributes.get("url") or sync_url(Settings().database))
    with engine.connect() as connection:
        run(connection)
        connection.commit()
    engine.dispose()
