"""A PostgreSQL database filled from a backup's files, in one transaction: all of it or nothing."""

from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError

from crewai_runner.db.base import Base
from crewai_runner.db.migrate import alembic_config, current_revision, is_known_revision, upgrade_within
from crewai_runner.operations.manifest import Contents, TableCopy
from crewai_runner.operations.postgres_copy import (
    MADE_ANEW,
    PRODUCT,
    Table,
    columns_by_table,
    connected,
    copy_statement,
    driver_cursor,
    queue_version,
)
from crewai_runner.operations.refusal import Refused
from crewai_runner.queue.dbos import make_tables
from crewai_runner.queue.engine import SCHEMA as QUEUE

_CHUNK = 1024**2
_LOCK_PATIENCE = "SET LOCAL lock_timeout = '10s'"
_OTHERS = text(
    """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
)
_LIVE_LEASES = text(
    f"SELECT count(*) FROM {QUEUE}.worker_lease"  # noqa: S608  # the schema's name is ours
    " WHERE last_seen > now() - make_interval(secs => :lease)"
)


def refuse_in_use(url: str, lease_seconds: float, *, force: bool) -> None:
    """Raises Refused while a worker lives there and, unless forced, while anybody else is connected."""
    with connected(url) as connection:
        if (QUEUE, "worker_lease") in columns_by_table(connection):
            live = connection.execute(_LIVE_LEASES, {"lease": lease_seconds}).scalar()
            if live:
                raise Refused(
                    f"{live} worker(s) are at work on this database. Stop every process of the product "
                    f"first; one that was killed is given up after {lease_seconds:g} s."
                )
        others = connection.execute(_OTHERS).scalar()
    if others and not force:
        raise Refused(
            f"{others} other connection(s) to this database are open. Stop every process of the product, the "
            "role api too; --force goes on when they are somebody else's."
        )


def holds_rows(url: str) -> bool:
    """Whether somebody would lose something there."""
    with connected(url) as connection:
        found = columns_by_table(connection)
        ours = [table for table in found if table[1] in Base.metadata.tables and table[0] == PRODUCT]
        ours += [table for table in found if table == (QUEUE, "workflow_status")]
        return any(_has_rows(connection, table) for table in ours)


def load_database(url: str, contents: Contents, folder: Path) -> None:
    """Replace what is there by the backup's rows, and bring them to this build's schema. Raises Refused."""
    make_tables(url)
    try:
        with connected(url) as connection, connection.begin():
            connection.execute(text(_LOCK_PATIENCE))
            _refuse_newer_queue(connection, contents)
            tables = _make_product_tables(connection, url, contents.revision)
            _empty(connection, tables)
            _fill(connection, contents, _in_order(connection, tables), folder)
            upgrade_within(connection, alembic_config(url))
    except (DBAPIError, psycopg.Error) as error:
        raise Refused(f"PostgreSQL refused, nothing was changed: {_first_line(error)}") from None


def _refuse_newer_queue(connection: Connection, contents: Contents) -> None:
    here = queue_version(connection)
    if contents.queue_version and here and contents.queue_version > here:
        raise Refused(
            f"The backup's queue has schema {contents.queue_version}, this build's {here}: use a newer build."
        )


def _make_product_tables(connection: Connection, url: str, revision: str) -> set[Table]:
    """The product's tables made anew, as they were at a revision, and the queue's; nobody else's."""
    config = alembic_config(url)
    present = current_revision(connection)
    if present is not None and not is_known_revision(present):
        raise Refused(
            f"The database has schema {present}, which this build does not know: use a newer build."
        )
    if present is not None:
        upgrade_within(connection, config)  # so that the tables are those that this build knows
    names = [*Base.metadata.tables, "alembic_version"]
    tables = SQL(", ").join(Identifier(PRODUCT, name) for name in names)
    with driver_cursor(connection) as cursor:
        cursor.execute(SQL("DROP TABLE IF EXISTS {} CASCADE").format(tables))
    foreign = {table for table in columns_by_table(connection) if table[0] == PRODUCT}
    upgrade_within(connection, config, revision)
    return set(columns_by_table(connection)) - foreign


def _empty(connection: Connection, tables: set[Table]) -> None:
    """Take away what migrations, and whoever was here before, have put into the tables to be filled."""
    full = sorted(tables - (MADE_ANEW - {(QUEUE, "worker_lease")}))
    with driver_cursor(connection) as cursor:
        cursor.execute(SQL("TRUNCATE {}").format(SQL(", ").join(Identifier(*table) for table in full)))


def _in_order(connection: Connection, tables: set[Table]) -> list[Table]:
    """Each table behind those that it refers to."""
    found = MetaData()
    for place in (PRODUCT, QUEUE):
        names = [name for schema, name in tables if schema == place]
        found.reflect(connection, schema=place, only=names, resolve_fks=False)
    return [(str(table.schema), table.name) for table in found.sorted_tables]


def _fill(connection: Connection, contents: Contents, order: list[Table], folder: Path) -> None:
    copies = {(copy.place, copy.name): copy for copy in contents.tables}
    columns = columns_by_table(connection)
    for table, copy in copies.items():
        if table not in order or not set(copy.columns) <= set(columns[table]):
            raise Refused(f"The backup's table {'.'.join(table)} does not fit schema {contents.revision}.")
    for table in order:
        if table in copies:
            _copy_in(connection, copies[table], folder)


def _copy_in(connection: Connection, copy: TableCopy, folder: Path) -> None:
    statement = copy_statement((copy.place, copy.name), copy.columns, SQL("FROM STDIN"))
    with driver_cursor(connection) as cursor, (folder / str(copy.member)).open("rb") as file:
        with cursor.copy(statement) as rows:
            while chunk := file.read(_CHUNK):
                rows.write(chunk)
        if cursor.rowcount != copy.rows:
            raise Refused(f"{copy.name} has {cursor.rowcount} rows, its manifest says {copy.rows}.")


def _has_rows(connection: Connection, table: Table) -> bool:
    with driver_cursor(connection) as cursor:
        cursor.execute(SQL("SELECT 1 FROM {} LIMIT 1").format(Identifier(*table)))
        return cursor.fetchone() is not None


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", error)).splitlines()
    return lines[0] if lines else type(error).__name__
