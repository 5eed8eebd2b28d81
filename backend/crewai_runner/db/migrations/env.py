"""Alembic's entry: runs migrations on the connection it is given, or on the configured URL."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine

from crewai_runner.core.settings import Settings
from crewai_runner.db import tables
from crewai_runner.db.base import Base
from crewai_runner.db.migrate import sync_url

config = context.config
assert tables  # noqa: S101  # importing the package registers every table


def ours(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:  # noqa: ARG001
    """Only tables of ours; the queue engine keeps its own beside them."""
    return kind != "table" or name in Base.metadata.tables


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=ours,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = create_engine(config.attributes.get("url") or sync_url(Settings().database))
    with engine.connect() as opened:
        run(opened)
        opened.commit()
    engine.dispose()
