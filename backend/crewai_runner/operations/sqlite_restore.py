"""Replace the SQLite database file by a restored one, atomically."""

import os
import shutil
import tempfile
from pathlib import Path

from crewai_runner.core.secret_key import fsync_directory
from crewai_runner.db.migrate import upgrade
from crewai_runner.operations import sqlite_database
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.manifest import SQLITE_MEMBER, Contents
from crewai_runner.queue.dbos import make_tables

_JOURNALS = ("-wal", "-shm")


def replace_database(folder: Path, target: Path, expected: Contents, stamp: str) -> list[Path]:
    """Verify and migrate the unpacked database, then rename it into place; returns the kept old files."""
    ready = target.with_name(f"{target.name}.restoring")
    shutil.move(folder / SQLITE_MEMBER, ready)
    try:
        _ensure_matches_manifest(sqlite_database.contents(ready), expected)
        upgrade(f"sqlite:///{ready}")
        sqlite_database.merge_journal(ready)
        with ready.open("rb") as file:
            os.fsync(file.fileno())
        return _replace_file(ready, target, stamp)
    finally:
        for path in (ready, Path(f"{ready}.migrating")):
            path.unlink(missing_ok=True)


def _ensure_matches_manifest(found: Contents, expected: Contents) -> None:
    if found != expected:
        raise OperationError("The database in the backup does not match its manifest.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.db"
        make_tables(f"sqlite:///{path}")
        with sqlite_database.open_existing(path) as database:
            supported = int(sqlite_database.number(database, "dbos_migrations", "max(version)") or 0)
    if expected.queue_version and expected.queue_version > supported:
        raise OperationError(
            f"The backup's queue has schema {expected.queue_version}, newer than {supported}: "
            "use a newer version."
        )


def _replace_file(ready: Path, target: Path, stamp: str) -> list[Path]:
    kept = _keep_old(target, stamp) if target.exists() else []
    ready.replace(target)
    target.chmod(0o600)
    fsync_directory(target.parent)
    return kept


def _keep_old(target: Path, stamp: str) -> list[Path]:
    """Keep the old database under a second name, so that a database exists at all times."""
    sqlite_database.merge_journal(target)
    kept_path = Path(f"{target}.{stamp}")
    # Moved first: SQLite would replay a leftover journal into the new database.
    journals = [path for path in (Path(f"{target}{ending}") for ending in _JOURNALS) if path.exists()]
    kept = [path.rename(f"{kept_path}{path.name.removeprefix(target.name)}") for path in journals]
    kept_path.hardlink_to(target)
    return [kept_path, *kept]
