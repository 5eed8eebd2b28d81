"""Unpacked sources of project versions, shared by their runs."""

import asyncio
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from crewai_runner.core.project_archive import read_project_archive
from crewai_runner.executor.projects.build.source_folder import write_files

MAX_UNUSED_SECONDS = 7 * 24 * 3600.0


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

    def remove_unused(self, max_unused_seconds: float = MAX_UNUSED_SECONDS) -> None:
        """Remove the folders that no run has used for a time. Blocks."""
        if not self._root.is_dir():
            return
        for folder in self._root.iterdir():
            if time.time() - folder.stat().st_mtime > max_unused_seconds:
                shutil.rmtree(folder, ignore_errors=True)


def _note_use(folder: Path) -> bool:
    """Set the time of the folder's last use; return whether it exists."""
    try:
        folder.touch()
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
