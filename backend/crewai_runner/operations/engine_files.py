"""The folder `engine/`, where crews keep their memories, copied while crews may write to it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from crewai_runner.operations import sqlite_store

ENGINE = "engine"
_JOURNALS = ("-wal", "-shm", "-journal")
_INDEX_FOLDERS = frozenset({"_versions", "_transactions"})


def copy_engine(source: Path, target: Path) -> int:
    """Copy every file; the answer is how many vanished meanwhile. Links are left out."""
    vanished = 0
    for path in _files(source):
        try:
            _copy(path, target / path.relative_to(source))
        except FileNotFoundError:
            vanished += 1
    return vanished


def _files(folder: Path) -> Iterator[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    plain = [path for path in found if not path.name.endswith(_JOURNALS)]
    # The memory's files never change once written, and what lists them is written last: whatever a list
    # names that is copied first is there when the others are.
    yield from sorted(plain, key=lambda path: (_INDEX_FOLDERS.isdisjoint(path.parts), path))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        is_database = file.read(len(sqlite_store.SIGNATURE)) == sqlite_store.SIGNATURE
    if is_database:
        sqlite_store.copy_database(source, target)
    else:
        shutil.copyfile(source, target)
