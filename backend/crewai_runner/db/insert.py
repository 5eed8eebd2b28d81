"""Inserting what another process may be inserting at this very moment."""

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
    """An insert that does nothing where the row is there; another's unfinished one is awaited first."""
    dialect = session.get_bind().dialect.name
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    return insert(table).values(values).on_conflict_do_nothing()
