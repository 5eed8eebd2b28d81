"""Insert rows that may exist, or that another process may insert concurrently."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.base import Base, table_of


def insert_if_absent(
    session: AsyncSession, table: type[Base], values: dict[str, Any]
) -> SqliteInsert | PostgresqlInsert:
    """Build an insert that does nothing when the row exists, after waiting for concurrent inserts of it."""
    return _insert(session.get_bind().dialect.name, table, values).on_conflict_do_nothing()


def insert_or_update(
    connection: Connection, table: type[Base], values: dict[str, Any]
) -> SqliteInsert | PostgresqlInsert:
    """Build an insert that sets the given values in the row of the same primary key, if it exists."""
    key = [column.name for column in table_of(table).primary_key]
    changed = {name: value for name, value in values.items() if name not in key}
    statement = _insert(connection.dialect.name, table, values)
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def insert_or_add(
    connection: Connection, table: type[Base], values: dict[str, Any], added: dict[str, Any]
) -> SqliteInsert | PostgresqlInsert:
    """Build an insert that adds to numbers of the row of the same primary key, if it exists."""
    columns = table_of(table).c
    key = [column.name for column in table_of(table).primary_key]
    sums = {name: columns[name] + value for name, value in added.items()}
    statement = _insert(connection.dialect.name, table, values)
    return statement.on_conflict_do_update(index_elements=key, set_=sums)


def _insert(dialect: str, table: type[Base], values: dict[str, Any]) -> SqliteInsert | PostgresqlInsert:
    insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
    return insert(table_of(table)).values(values)
