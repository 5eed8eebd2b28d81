"""Unpacked sources of project versions, shared by their runs."""

import asyncio
import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from crewai_runner.core.project_archive import read_project_archive
from crewai_runner.executor.projects.build.source_folder import write_files

COPY_SECONDS = 600.0


class SourceCache:
    """Folders by content hash below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def get(self, content_hash: str, load: Callable[[], Awaitable[bytes]]) -> Path:
        """Return the folder with the files of a version, unpacked once. Raises ArchiveRefused, OSError."""
        folder = self._root / content_hash
        if not await asyncio.to_thread(_note_use, folder):
            archive = await load()
            await asyncio.to_thread(_unpack, archive, folder)
        return folder

    def remove_unused(self, max_unused_seconds: float, max_bytes: int) -> None:
        """Remove the folders that no run has used for a time: runs have copies. Blocks.

        While all of them have more than `max_bytes`, those that were not used for longest are removed too.
        One that was used in the last minutes stays: a run may be copying it.
        """
        now, kept = time.time(), list[tuple[float, Path, int]]()
        for used, folder in sorted(_list_folders(self._root)):
            if now - used > max_unused_seconds:
                _remove(folder)
            else:
                kept.append((used, folder, measure_folder(folder)))
        size = sum(one for _, _, one in kept)
        for used, folder, bytes_ in kept:
            if size <= max_bytes or now - used < COPY_SECONDS:
                return
            _remove(folder)
            size -= bytes_

    def measure(self) -> int:
        """Return the bytes on the disk of all folders. Blocks."""
        return measure_folder(self._root)


def remove_old_folders(parent: Path, max_age_seconds: float) -> None:
    """Remove the folders in `parent` that have not changed for a time. Blocks."""
    for changed, folder in _list_folders(parent):
        if time.time() - changed > max_age_seconds:
            _remove(folder)


def measure_folder(folder: Path) -> int:
    """Return the bytes on the disk of a folder's files. Blocks."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                size += Path(parent, name).lstat().st_blocks * 512
    return size


def _list_folders(parent: Path) -> Iterator[tuple[float, Path]]:
    """Yield the folders in `parent` with the times of their last use."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # another process removes it too
            yield folder.stat().st_mtime, folder


def _remove(folder: Path) -> None:
    """Remove a folder; a run that asks for it meanwhile finds all of its files or none."""
    removed = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")
    with contextlib.suppress(OSError):  # another process removes it too
        folder.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


def _note_use(folder: Path) -> bool:
    """Set the time of the folder's last use; return whether it exists."""
    try:
        os.utime(folder)
    except OSError:
        return False
    return folder.is_dir()


def _unpack(archive: bytes, folder: Path) -> None:
    files = read_project_archive(archive).files
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    temporary = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")
    temporary.mkdir(mode=0o755)
    try:
        write_files(files, temporary)
        if not folder.is_dir():
            temporary.rename(folder)
    except OSError:
        if not folder.is_dir():  # another run was faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
