"""Unpacked sources of project versions, shared by their runs."""

import asyncio
import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from crewai_runner.core.project_archive import read_project_archive
from crewai_runner.executor.projects.build.source_folder import write_files


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

    def remove_unused(self, max_unused_seconds: float) -> None:
        """Remove the folders that no run has used for a time: runs have copies. Blocks."""
        remove_old_folders(self._root, max_unused_seconds)


def remove_old_folders(parent: Path, max_age_seconds: float) -> None:
    """Remove the folders in `parent` that have not changed for a time. Blocks."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):  # another process removes it too
            if time.time() - folder.stat().st_mtime > max_age_seconds:
                shutil.rmtree(folder, ignore_errors=True)


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
