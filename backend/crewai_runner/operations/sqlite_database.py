"""Copy and inspect SQLite database files."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from crewai_runner.db.tables.run_search import is_search_index
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.manifest import Contents, TableCopy

TIMEOUT_SECONDS = 30.0
SIGNATURE = b"SQLite format 3\0"
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
)


@contextmanager
def open_existing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database without creating it. Raises sqlite3.Error."""
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=TIMEOUT_SECONDS)
    ) as database:
        yield database


def copy_database(source: Path, target: Path) -> None:
    """Write a consistent copy without a journal; does not block writers."""
    with open_existing(source) as live, closing(sqlite3.connect(target)) as copy:
        # All pages in one step: otherwise the copy restarts whenever another process writes.
        live.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")


def contents(path: Path) -> Contents:
    """Describe a database. Raises OperationError when it is damaged or not one of CrewAI Runner."""
    try:
        with open_existing(path) as database:
            if (found := quick_check(database)) is not None:
                raise OperationError(f"The database is damaged ({found}).")
            return _read_contents(database)
    except sqlite3.DatabaseError as error:
        raise OperationError(f"The database cannot be read ({error}).") from None


def quick_check(database: sqlite3.Connection) -> str | None:
    """Return the first problem of the pages and indexes, None when there is none."""
    [first] = database.execute("PRAGMA quick_check(1)").fetchone()
    return None if first == "ok" else str(first)


def _read_contents(database: sqlite3.Connection) -> Contents:
    names = table_names(database)
    revision = number(database, "alembic_version", "version_num") if "alembic_version" in names else None
    if revision is None:
        raise OperationError("The database contains no tables of CrewAI Runner.")
    queue = number(database, "dbos_migrations", "max(version)") if "dbos_migrations" in names else None
    counts = [TableCopy(name=name, rows=int(number(database, name, "count(*)") or 0)) for name in names]
    return Contents(
        dialect="sqlite",
        revision=str(revision),
        queue_version=None if queue is None else int(queue),
        tables=counts,
    )


def table_names(database: sqlite3.Connection) -> list[str]:
    return [name for (name,) in database.execute(_TABLES)]


def number(database: sqlite3.Connection, table: str, expression: str) -> int | str | None:
    """Return the first value of an expression over a table; names come from the database itself."""
    quoted = table.replace('"', '""')
    row = database.execute(f'SELECT {expression} FROM "{quoted}"').fetchone()  # noqa: S608  # see above
    return None if row is None else row[0]


def has_rows(path: Path) -> bool:
    """Return whether the database contains data; true for an unreadable one."""
    try:
        with open_existing(path) as database:
            names = set(table_names(database)) - {"alembic_version", "dbos_migrations"}
            # An empty full-text index has rows of its own.
            return any(number(database, name, "count(*)") for name in names if not is_search_index(name))
    except sqlite3.DatabaseError:
        return True


def merge_journal(path: Path) -> None:
    """Merge the journal into the database file, so that the file is complete."""
    try:
        with open_existing(path) as database:
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError:
        return  # damaged: the journal stays next to the file
