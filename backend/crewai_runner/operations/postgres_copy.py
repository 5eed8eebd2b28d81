"""A PostgreSQL database as files: one snapshot, each table in the text format of COPY."""

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
from crewai_runner.operations.manifest import Contents, TableCopy
from crewai_runner.operations.refusal import Refused
from crewai_runner.queue.engine import SCHEMA as QUEUE

PRODUCT = "public"
MADE_ANEW = frozenset({(PRODUCT, "alembic_version"), (QUEUE, "dbos_migrations"), (QUEUE, "worker_lease")})
"""Not copied: migrations write the first two, and a lease belongs to a process that lives."""

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
def connected(url: str) -> Iterator[Connection]:
    """A connection of its own, which speaks UTF-8 whatever the database does."""
    engine = create_engine(sync_url(url), poolclass=NullPool, connect_args={"client_encoding": "utf8"})
    with engine.connect() as connection:
        yield connection


def copy_database(url: str, folder: Path) -> Contents:
    """Every row of one moment as files in the folder; writers go on meanwhile. Raises Refused."""
    with connected(url) as opened:
        connection = opened.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        revision = current_revision(connection)
        if revision is None:
            raise Refused("The database has none of the product's tables.")
        wanted = _wanted(connection, revision)
        copies = [_copy_out(connection, table, columns, folder) for table, columns in wanted]
        version = queue_version(connection)
    return Contents(dialect="postgresql", revision=revision, queue_version=version, tables=copies)


def columns_by_table(connection: Connection) -> dict[Table, list[str]]:
    """The tables of both schemas and their columns in order, those aside that the database computes."""
    rows = connection.execute(_TABLES, {"product": PRODUCT, "queue": QUEUE})
    return {(place, name): list(columns) for place, name, columns in rows}


def queue_version(connection: Connection) -> int | None:
    """The version of the queue's own schema, None when the queue was never started here."""
    if (QUEUE, "dbos_migrations") not in columns_by_table(connection):
        return None
    return connection.execute(text(f"SELECT max(version) FROM {QUEUE}.dbos_migrations")).scalar()  # noqa: S608


def driver_cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """The driver's own cursor, in the same transaction: SQLAlchemy knows no COPY."""
    driver: Any = connection.connection.driver_connection
    cursor: psycopg.Cursor[Any] = driver.cursor()
    return cursor


def copy_statement(table: Table, columns: Sequence[str], direction: SQL) -> Composed:
    names = SQL(", ").join(map(Identifier, columns))
    return SQL("COPY {} ({}) {}").format(Identifier(*table), names, direction)


def _wanted(connection: Connection, revision: str) -> list[tuple[Table, list[str]]]:
    if not is_known_revision(revision):
        raise Refused(
            f"The database has schema {revision}, which this build does not know: use a newer build."
        )
    found = columns_by_table(connection)
    # An older schema may have tables that are gone since; at the newest, others are not the product's.
    foreign = {
        table
        for table in found
        if table[0] == PRODUCT and revision == head_revision() and table[1] not in Base.metadata.tables
    }
    return [(table, found[table]) for table in found if table not in foreign | MADE_ANEW]


def _copy_out(connection: Connection, table: Table, columns: list[str], folder: Path) -> TableCopy:
    name = f"{table[0]}.{table[1]}.copy"
    with driver_cursor(connection) as cursor, (folder / name).open("wb") as file:
        with cursor.copy(copy_statement(table, columns, SQL("TO STDOUT"))) as rows:
            for chunk in rows:
                file.write(chunk)
        count = cursor.rowcount
    return TableCopy(place=table[0], name=table[1], rows=count, columns=columns, member=f"database/{name}")
