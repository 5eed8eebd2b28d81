"""Rewrite the SQLite database without its free pages, so that later ones can be released in steps."""

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.core.secret_key import fsync_directory
from crewai_runner.core.settings import Settings
from crewai_runner.db.sqlite_space import read_pragma
from crewai_runner.operations.backup import sqlite_path
from crewai_runner.operations.data_dir import lock_data_dir
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.sqlite_database import merge_journal, open_existing, quick_check

MARGIN_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class Compaction:
    """The size of the database file in bytes."""

    before: int
    after: int


def compact(settings: Settings) -> Compaction:
    """Replace the database file by a copy without free pages; the server must not run.

    If it is interrupted, the old file stays. Raises OperationError, OSError and sqlite3.Error.
    """
    if not settings.is_embedded:
        raise OperationError("Only SQLite needs this command; PostgreSQL reuses space by autovacuum.")
    path = sqlite_path(settings)
    if not path.is_file():
        raise OperationError(f"The database {path} does not exist.")
    with lock_data_dir(settings, "compact the database"):
        merge_journal(path)
        before = path.stat().st_size
        copy = path.with_name(f"{path.name}.partial")
        copy.unlink(missing_ok=True)
        try:
            _write_copy(path, copy)
            copy.replace(path)
        finally:
            copy.unlink(missing_ok=True)
        fsync_directory(path.parent)
    return Compaction(before, path.stat().st_size)


def _write_copy(path: Path, copy: Path) -> None:
    with open_existing(path) as database:
        _check_free_space(database, path)
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("VACUUM INTO ?", (str(copy),))
    copy.chmod(0o600)
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    with open_existing(copy) as database:
        problem = quick_check(database)
    if problem is not None:
        raise OperationError(f"The copy is damaged ({problem}); the database is unchanged.")


def _check_free_space(database: sqlite3.Connection, path: Path) -> None:
    pages = read_pragma(database, "page_count") - read_pragma(database, "freelist_count")
    needed = pages * read_pragma(database, "page_size") + MARGIN_BYTES
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise OperationError(
            f"The copy needs {needed // 1024**2:,} MiB next to {path}; {free // 1024**2:,} MiB are free."
        )
