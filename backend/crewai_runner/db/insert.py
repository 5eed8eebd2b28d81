"""Insert rows that another process may insert concurrently."""

from typing import Any

from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.base import Base


def insert_if_absent(
    session: AsyncSession, table: type[Base], values: dict[str, Any]
) -> SqliteInsert | PostgresqlInsert:
    """Build an insert that does nothing when the row exists, after waiting for concurrent inserts of it."""
    dialect = session.get_bind().dialect.name
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    return insert(table).values(values).on_conflict_do_nothing()
