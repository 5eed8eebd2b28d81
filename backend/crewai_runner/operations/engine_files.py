"""Copy the folder `engine/`, in which earlier versions kept crew memories, while crews may write to it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from crewai_runner.operations import sqlite_database

ENGINE = "engine"
_JOURNALS = ("-wal", "-shm", "-journal")
_INDEX_FOLDERS = frozenset({"_versions", "_transactions"})


def copy_engine(source: Path, target: Path) -> int:
    """Copy every file except links; returns the number of files that vanished during the copy."""
    vanished = 0
    for path in _list_files(source):
        try:
            _copy_file(path, target / path.relative_to(source))
        except FileNotFoundError:
            vanished += 1
    return vanished


def _list_files(folder: Path) -> Iterator[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    plain = [path for path in found if not path.name.endswith(_JOURNALS)]
    # LanceDB writes data files once and its index files last. Index files are copied first, so that every
    # data file they refer to exists when the data files are copied.
    yield from sorted(plain, key=lambda path: (_INDEX_FOLDERS.isdisjoint(path.parts), path))


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        is_database = file.read(len(sqlite_database.SIGNATURE)) == sqlite_database.SIGNATURE
    if is_database:
        sqlite_database.copy_database(source, target)
    else:
        shutil.copyfile(source, target)
