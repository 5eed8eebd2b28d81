"""Copy a PostgreSQL database into files: one snapshot, each table in COPY text format."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import Connection, NullPool, create_engine, text

import crewai_runner.db.tables  # noqa: F401  # registers every table
from crewai_runner.db.base import Base
from crewai_runner.db.migrate import current_revision, head_revision, is_known_revision, sync_url
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.manifest import Contents, TableCopy
from crewai_runner.queue.database_engine import SCHEMA as QUEUE

PRODUCT = "public"
NOT_COPIED = frozenset({(PRODUCT, "alembic_version"), (QUEUE, "dbos_migrations"), (QUEUE, "worker_lease")})
"""Migrations write the first two; a lease belongs to a live process."""

_TABLES = text(
    """
    SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND c.relkind = 'r'
       AND n.nspname IN (:product, :queue)
     GROUP BY 1, 2 ORDER BY 1, 2
    """
)
Table = tuple[str, str]


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """Open a separate connection with UTF-8 client encoding."""
    engine = create_engine(sync_url(url), poolclass=NullPool, connect_args={"client_encoding": "utf8"})
    with engine.connect() as connection:
        yield connection


def copy_database(url: str, folder: Path) -> Contents:
    """Copy a snapshot of every table into the folder without blocking writers. Raises OperationError."""
    with connect(url) as base:
        connection = base.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        revision = current_revision(connection)
        if revision is None:
            raise OperationError("The database contains no tables of CrewAI Runner.")
        tables = _tables_to_copy(connection, revision)
        copies = [_copy_out(connection, table, columns, folder) for table, columns in tables]
        version = queue_version(connection)
    return Contents(dialect="postgresql", revision=revision, queue_version=version, tables=copies)


def columns_by_table(connection: Connection) -> dict[Table, list[str]]:
    """Return the tables of both schemas and their columns in order, without generated columns."""
    rows = connection.execute(_TABLES, {"product": PRODUCT, "queue": QUEUE})
    return {(schema, name): list(columns) for schema, name, columns in rows}


def queue_version(connection: Connection) -> int | None:
    """Return the version of the queue's schema, None when the queue was never started on this database."""
    if (QUEUE, "dbos_migrations") not in columns_by_table(connection):
        return None
    return connection.execute(text(f"SELECT max(version) FROM {QUEUE}.dbos_migrations")).scalar()  # noqa: S608


def driver_cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """Return a psycopg cursor in the same transaction; SQLAlchemy does not support COPY."""
    driver: Any = connection.connection.driver_connection
    cursor: psycopg.Cursor[Any] = driver.cursor()
    return cursor


def copy_statement(table: Table, columns: Sequence[str], direction: SQL) -> Composed:
    names = SQL(", ").join(map(Identifier, columns))
    return SQL("COPY {} ({}) {}").format(Identifier(*table), names, direction)


def _tables_to_copy(connection: Connection, revision: str) -> list[tuple[Table, list[str]]]:
    if not is_known_revision(revision):
        raise OperationError(
            f"The database has schema {revision}, which this version does not know: use a newer version."
        )
    found = columns_by_table(connection)
    # An older schema may contain tables that were dropped later; in the newest schema,
    # unknown tables do not belong to the product.
    foreign = {
        table
        for table in found
        if table[0] == PRODUCT and revision == head_revision() and table[1] not in Base.metadata.tables
    }
    return [(table, found[table]) for table in found if table not in foreign | NOT_COPIED]


def _copy_out(connection: Connection, table: Table, columns: list[str], folder: Path) -> TableCopy:
    name = f"{table[0]}.{table[1]}.copy"
    with driver_cursor(connection) as cursor, (folder / name).open("wb") as file:
        with cursor.copy(copy_statement(table, columns, SQL("TO STDOUT"))) as rows:
            for chunk in rows:
                file.write(chunk)
        count = cursor.rowcount
    return TableCopy(place=table[0], name=table[1], rows=count, columns=columns, member=f"database/{name}")
