"""An SQLite database as one file: copied while it is in use, looked into, put in another one's place."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from crewai_runner.operations.manifest import Contents, TableCopy
from crewai_runner.operations.refusal import Refused

PATIENCE_SECONDS = 30.0
SIGNATURE = b"SQLite format 3\0"
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name"
)


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A database that exists; it is not made. Raises sqlite3.Error."""
    with closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE_SECONDS)
    ) as found:
        yield found


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of one moment, in one file without a journal; writers go on meanwhile."""
    with opened(source) as live, closing(sqlite3.connect(target)) as copy:
        # All pages in one step: in steps, the copy would begin anew with every write of another process.
        live.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")


def contents(path: Path) -> Contents:
    """What a database holds. Raises Refused for one that is damaged or not the product's."""
    try:
        with opened(path) as database:
            if (found := quick_check(database)) is not None:
                raise Refused(f"The database is damaged ({found}).")
            return _contents(database)
    except sqlite3.DatabaseError as error:
        raise Refused(f"The database cannot be read ({error}).") from None


def quick_check(database: sqlite3.Connection) -> str | None:
    """The first thing that is wrong with its pages and indexes, None when all is well."""
    [first] = database.execute("PRAGMA quick_check(1)").fetchone()
    return None if first == "ok" else str(first)


def _contents(database: sqlite3.Connection) -> Contents:
    names = table_names(database)
    revision = number(database, "alembic_version", "version_num") if "alembic_version" in names else None
    if revision is None:
        raise Refused("The database has none of the product's tables.")
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
    """The first value of an expression over a table; names come from the database itself."""
    quoted = table.replace('"', '""')
    row = database.execute(f'SELECT {expression} FROM "{quoted}"').fetchone()  # noqa: S608  # see above
    return None if row is None else row[0]


def holds_rows(path: Path) -> bool:
    """Whether somebody would lose something with this database; one that cannot be read counts as full."""
    try:
        with opened(path) as database:
            names = set(table_names(database)) - {"alembic_version", "dbos_migrations"}
            return any(number(database, name, "count(*)") for name in names)
    except sqlite3.DatabaseError:
        return True


def settle(path: Path) -> None:
    """Take a database's journal into its file, so that the file alone is the database."""
    try:
        with opened(path) as database:
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError:
        return  # a damaged one: its journal is moved aside with it
