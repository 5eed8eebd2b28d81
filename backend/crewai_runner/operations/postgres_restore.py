"""Load a backup into a PostgreSQL database in one transaction."""

from pathlib import Path
from typing import Literal

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError

from crewai_runner.db.base import Base
from crewai_runner.db.migrate import alembic_config, current_revision, is_known_revision, upgrade_within
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.manifest import Contents, TableCopy
from crewai_runner.operations.postgres_copy import (
    NOT_COPIED,
    PRODUCT,
    Table,
    columns_by_table,
    connect,
    copy_statement,
    driver_cursor,
    queue_version,
)
from crewai_runner.queue.database_engine import SCHEMA as QUEUE
from crewai_runner.queue.dbos import make_tables

_CHUNK_BYTES = 1024**2
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"
_OTHER_CONNECTIONS = text(
    """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """
)
_LIVE_LEASES = text(
    f"SELECT count(*) FROM {QUEUE}.worker_lease"  # noqa: S608  # a constant
    " WHERE last_seen > now() - make_interval(secs => :lease)"
)


def ensure_not_in_use(url: str, lease_seconds: float, *, force: bool) -> None:
    """Raise OperationError while a worker runs or, unless forced, other clients are connected."""
    with connect(url) as connection:
        if (QUEUE, "worker_lease") in columns_by_table(connection):
            live = connection.execute(_LIVE_LEASES, {"lease": lease_seconds}).scalar()
            if live:
                raise OperationError(
                    f"{live} worker(s) are running on this database. Stop every process of the product "
                    f"first; the lease of a killed worker expires after {lease_seconds:g} s."
                )
        others = connection.execute(_OTHER_CONNECTIONS).scalar()
    if others and not force:
        raise OperationError(
            f"{others} other connection(s) to this database are open. Stop every process of the product, "
            "including role api; use --force if they belong to other programs."
        )


def has_rows(url: str) -> bool:
    """Return whether the database contains data of the product."""
    with connect(url) as connection:
        found = columns_by_table(connection)
        tables = [table for table in found if table[1] in Base.metadata.tables and table[0] == PRODUCT]
        tables += [table for table in found if table == (QUEUE, "workflow_status")]
        return any(_table_has_rows(connection, table) for table in tables)


def load_database(url: str, contents: Contents, folder: Path) -> None:
    """Replace the product's tables by the backup's rows and migrate them. Raises OperationError."""
    make_tables(url)
    try:
        with connect(url) as connection, connection.begin():
            connection.execute(text(_LOCK_TIMEOUT))
            _ensure_queue_not_newer(connection, contents)
            tables = _recreate_product_tables(connection, url, contents.revision)
            _truncate(connection, tables)
            _load_tables(connection, contents, _sort_by_references(connection, tables), folder)
            upgrade_within(connection, alembic_config(url))
    except (DBAPIError, psycopg.Error) as error:
        raise OperationError(
            f"PostgreSQL reported an error, nothing was changed: {_first_line(error)}"
        ) from None


def _ensure_queue_not_newer(connection: Connection, contents: Contents) -> None:
    version = queue_version(connection)
    if contents.queue_version and version and contents.queue_version > version:
        raise OperationError(
            f"The backup's queue has schema {contents.queue_version}, newer than {version}: "
            "use a newer version."
        )


def _recreate_product_tables(connection: Connection, url: str, revision: str) -> set[Table]:
    """Recreate the product's tables at a revision; returns them and the queue's tables."""
    config = alembic_config(url)
    existing = current_revision(connection)
    if existing is not None and not is_known_revision(existing):
        raise OperationError(
            f"The database has schema {existing}, which this version does not know: use a newer version."
        )
    if existing is not None:
        upgrade_within(connection, config)  # so that all tables are known to this version
    names = [*Base.metadata.tables, "alembic_version"]
    tables = SQL(", ").join(Identifier(PRODUCT, name) for name in names)
    with driver_cursor(connection) as cursor:
        cursor.execute(SQL("DROP TABLE IF EXISTS {} CASCADE").format(tables))
    foreign = {table for table in columns_by_table(connection) if table[0] == PRODUCT}
    upgrade_within(connection, config, revision)
    return set(columns_by_table(connection)) - foreign


def _truncate(connection: Connection, tables: set[Table]) -> None:
    """Truncate the tables to be filled: migrations and earlier installations may have added rows."""
    truncated = sorted(tables - (NOT_COPIED - {(QUEUE, "worker_lease")}))
    with driver_cursor(connection) as cursor:
        cursor.execute(SQL("TRUNCATE {}").format(SQL(", ").join(Identifier(*table) for table in truncated)))


def _sort_by_references(connection: Connection, tables: set[Table]) -> list[Table]:
    """Order tables so that each comes after those it references."""
    metadata = MetaData()
    for schema_name in (PRODUCT, QUEUE):
        names = [name for schema, name in tables if schema == schema_name]
        metadata.reflect(connection, schema=schema_name, only=names, resolve_fks=False)
    return [(str(table.schema), table.name) for table in metadata.sorted_tables]


def _load_tables(connection: Connection, contents: Contents, order: list[Table], folder: Path) -> None:
    copies = {(copy.place, copy.name): copy for copy in contents.tables}
    columns = columns_by_table(connection)
    for table, copy in copies.items():
        if table not in order or not set(copy.columns) <= set(columns[table]):
            raise OperationError(
                f"The backup's table {'.'.join(table)} does not match schema {contents.revision}."
            )
    # What triggers derive from rows is in the backup as well.
    _set_triggers(connection, order, "DISABLE")
    for table in order:
        if table in copies:
            _copy_in(connection, copies[table], folder)
    _set_triggers(connection, order, "ENABLE")


def _set_triggers(connection: Connection, tables: list[Table], state: Literal["ENABLE", "DISABLE"]) -> None:
    """Enable or disable the product's triggers; those of foreign keys stay as they are."""
    with driver_cursor(connection) as cursor:
        for table in tables:
            cursor.execute(SQL("ALTER TABLE {} {} TRIGGER USER").format(Identifier(*table), SQL(state)))


def _copy_in(connection: Connection, copy: TableCopy, folder: Path) -> None:
    statement = copy_statement((copy.place, copy.name), copy.columns, SQL("FROM STDIN"))
    with driver_cursor(connection) as cursor, (folder / str(copy.member)).open("rb") as file:
        with cursor.copy(statement) as rows:
            while chunk := file.read(_CHUNK_BYTES):
                rows.write(chunk)
        if cursor.rowcount != copy.rows:
            raise OperationError(f"{copy.name} has {cursor.rowcount} rows, its manifest lists {copy.rows}.")


def _table_has_rows(connection: Connection, table: Table) -> bool:
    with driver_cursor(connection) as cursor:
        cursor.execute(SQL("SELECT 1 FROM {} LIMIT 1").format(Identifier(*table)))
        return cursor.fetchone() is not None


def _first_line(error: Exception) -> str:
    lines = str(getattr(error, "orig", error)).splitlines()
    return lines[0] if lines else type(error).__name__
