"""A restored SQLite database put in the place of another, in one step."""

import os
import shutil
import tempfile
from pathlib import Path

from crewai_runner.core.secret_key import fsync_directory
from crewai_runner.db.migrate import upgrade
from crewai_runner.operations import sqlite_store
from crewai_runner.operations.manifest import SQLITE_MEMBER, Contents
from crewai_runner.operations.refusal import Refused
from crewai_runner.queue.dbos import make_tables

_JOURNALS = ("-wal", "-shm")


def put(folder: Path, target: Path, awaited: Contents, stamp: str) -> list[Path]:
    """Check and migrate the unpacked database, then rename it into place; where the old one is now."""
    ready = target.with_name(f"{target.name}.restoring")
    shutil.move(folder / SQLITE_MEMBER, ready)
    try:
        _refuse_unlike(sqlite_store.contents(ready), awaited)
        upgrade(f"sqlite:///{ready}")
        sqlite_store.settle(ready)
        _sync(ready)
        return _swap(ready, target, stamp)
    finally:
        for path in (ready, Path(f"{ready}.migrating")):
            path.unlink(missing_ok=True)


def _refuse_unlike(found: Contents, awaited: Contents) -> None:
    if found != awaited:
        raise Refused("The database in the backup is not the one its manifest describes.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.db"
        make_tables(f"sqlite:///{path}")
        with sqlite_store.opened(path) as database:
            here = int(sqlite_store.number(database, "dbos_migrations", "max(version)") or 0)
    if awaited.queue_version and awaited.queue_version > here:
        raise Refused(
            f"The backup's queue has schema {awaited.queue_version}, this build's {here}: use a newer build."
        )


def _swap(ready: Path, target: Path, stamp: str) -> list[Path]:
    kept = _keep(target, stamp) if target.exists() else []
    ready.replace(target)
    target.chmod(0o600)
    fsync_directory(target.parent)
    return kept


def _keep(target: Path, stamp: str) -> list[Path]:
    """Give the old database a second name, so that there is no moment without one; where it is now."""
    sqlite_store.settle(target)
    aside = Path(f"{target}.{stamp}")
    # A journal left behind would be played into the new database: it leaves first.
    journals = [path for path in (Path(f"{target}{ending}") for ending in _JOURNALS) if path.exists()]
    kept = [path.rename(f"{aside}{path.name.removeprefix(target.name)}") for path in journals]
    aside.hardlink_to(target)
    return [aside, *kept]


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
