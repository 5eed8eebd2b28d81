"""Insert rows into every table of both schemas, and dump a database for comparison."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKeyConstraint,
    MetaData,
    NullPool,
    Table,
    create_engine,
    inspect,
    text,
)

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.db.migrate import sync_url
from crewai_runner.db.tables.run_search import RunSearchRow, is_search_index

TIMESTAMP = datetime(2026, 3, 10, 11, 12, 13, 456000, tzinfo=UTC)
AWKWARD = "käse\t\"'\\N \\. \r\n€ 𝄞"
MIGRATION_TABLES = {"alembic_version", "dbos_migrations"}
LEASE_TABLES = {"worker_lease"}
ROWS = 3


def reflect(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection)
    if connection.dialect.name == "postgresql" and "dbos" in inspect(connection).get_schema_names():
        found.reflect(connection, schema="dbos")
    return found


def fill(url: str, cipher: SecretCipher | None = None) -> None:
    """Insert rows into every table; `sealed_` columns get values encrypted by the cipher, or none."""
    engine = create_engine(sync_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        for table in reflect(connection).sorted_tables:
            # Triggers have written the texts for searches.
            is_derived = table.name == RunSearchRow.__tablename__ or is_search_index(table.name)
            if table.name not in MIGRATION_TABLES | LEASE_TABLES and not is_derived:
                connection.execute(table.insert(), list(_rows(table, cipher)))


def _rows(table: Table, cipher: SecretCipher | None) -> Iterator[dict[str, Any]]:
    referring = {
        element.parent.name
        for constraint in table.constraints
        if isinstance(constraint, ForeignKeyConstraint)
        for element in constraint.elements
    }
    for number in range(ROWS):
        yield {
            column.name: _encrypted(cipher, number, None if column.nullable else "")
            if column.name.startswith("sealed_")
            else _value(column, number, referring=column.name in referring)
            for column in table.columns
        }


def _encrypted(cipher: SecretCipher | None, number: int, default: str | None) -> str | None:
    return cipher.encrypt(f"sk-canary-of-row-{number}") if cipher else default


def _value(column: Column[Any], number: int, *, referring: bool) -> Any:
    if column.nullable and number == 0 and not column.primary_key:
        return None
    try:
        kind: type = column.type.python_type
    except NotImplementedError:
        kind = str
    length = getattr(column.type, "length", None) or 1000
    if kind is str:
        # Foreign keys and their targets must match, so these values have no special characters.
        plain = referring or column.primary_key or length < 100
        return f"{number}" if plain else f"{number} {AWKWARD}"[:length]
    return {
        bool: number == 0,
        int: number,
        float: number + 0.1,
        bytes: bytes(range(256)) * number,
        datetime: TIMESTAMP,
        Decimal: Decimal(number) / 7,
        dict: {"n": number, "text": AWKWARD},
        object: {"n": number, "text": AWKWARD},
    }[kind]


def dump(url: str) -> dict[str, list[str]]:
    """Every table's rows in sorted order, without leases."""
    engine = create_engine(sync_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        tables = [t for t in reflect(connection).sorted_tables if t.name not in LEASE_TABLES]
        return {
            table.fullname: sorted(
                repr(tuple(row)) for row in connection.exec_driver_sql(f"SELECT * FROM {_quoted(table)}")
            )
            for table in tables
        }


def _quoted(table: Table) -> str:
    return ".".join(f'"{part}"' for part in table.fullname.split("."))


def empty_tables(url: str) -> set[str]:
    return {name for name, rows in dump(url).items() if not rows}


def run_sql(url: str, query: str, **values: Any) -> Any:
    engine = create_engine(sync_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(query), values)
        return result.scalar() if result.returns_rows else result.rowcount
