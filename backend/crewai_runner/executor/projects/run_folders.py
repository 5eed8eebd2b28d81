"""The folders of one run: its working directory, its sockets, and the files that it wrote."""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from crewai_runner.core.generated_folders import GENERATED_FOLDERS
from crewai_runner.executor.project_code import RunFile

MAX_FILES = 100
MAX_FILE_BYTES = 16 * 1024**2
MAX_TOTAL_BYTES = 64 * 1024**2
MAX_PATH_LENGTH = 200
MAX_COPIED_BYTES = 256 * 1024**2
MAX_VISITED = 50_000
_LOCK, _SOCKETS_PREFIX = "lock", "cr"
LEFTOVER_SECONDS = 3600.0
Signature = tuple[int, int]
"""The size and the time of the last change of a file, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class RunFolders:
    """The folders of one attempt. Its methods block."""

    root: Path
    sockets: Path
    """Outside `root`: the path of a Unix socket has at most 107 bytes."""
    original: Mapping[str, Signature] = field(default_factory=dict)
    """The project's files in the working directory, which are no results unless they have changed."""

    lock: IO[str] | None = None
    """A locked file, by which other processes know that the folders are in use."""

    @property
    def work(self) -> Path:
        return self.root / "work"

    def remove(self) -> None:
        for folder in (self.root, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)
        if self.lock is not None:
            self.lock.close()

    def collect(self) -> tuple[list[RunFile], int]:
        """Return the files that the run has written, within limits, and how many were left out.

        The run's code may have made links and devices to reach other files: only regular files are read, and
        no link is followed, also not one that replaces a folder meanwhile.
        """
        files: list[RunFile] = []
        left_out, total = 0, 0
        for path, descriptor, size in self._open_written():
            try:
                is_over = len(files) >= MAX_FILES or size > MAX_FILE_BYTES or total + size > MAX_TOTAL_BYTES
                if is_over or len(path) > MAX_PATH_LENGTH or not path.isprintable():
                    left_out += 1
                    continue
                content = _read(descriptor, size)
                total += len(content)
                files.append(RunFile(path, content))
            finally:
                os.close(descriptor)
        return files, left_out

    def _open_written(self) -> Iterator[tuple[str, int, int]]:
        """Yield (path, descriptor, size) of new and changed files."""
        visited = 0
        for parent, folders, names, handle in os.fwalk(self.work, follow_symlinks=False):
            folders[:] = sorted(name for name in folders if name not in GENERATED_FOLDERS and name[0] != ".")
            for name in sorted(names):
                visited += 1
                if visited > MAX_VISITED:
                    return
                path = os.path.relpath(os.path.join(parent, name), self.work)  # noqa: PTH118
                try:
                    path.encode()
                    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                    descriptor = os.open(name, flags, dir_fd=handle)
                except (OSError, UnicodeEncodeError):
                    continue
                found = os.fstat(descriptor)
                is_written = self.original.get(path) != (found.st_size, found.st_mtime_ns)
                if name.startswith(".") or not stat.S_ISREG(found.st_mode) or not is_written:
                    os.close(descriptor)
                    continue
                yield path, descriptor, found.st_size


def create_run_folders(parent: Path, source: Path, sockets_parent: Path | None = None) -> RunFolders:
    """Create the folders of an attempt; the working directory has a copy of the files in `source`.

    Code opens its files by relative paths, and writes beside them. The folder of sockets is created in
    `sockets_parent`, or else in that of temporary files. Raises OSError. Blocks.
    """
    parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    root = Path(tempfile.mkdtemp(prefix="r", dir=parent))
    root.chmod(0o711)
    sockets = Path(tempfile.mkdtemp(prefix=_SOCKETS_PREFIX, dir=sockets_parent))
    lock = (root / _LOCK).open("w+", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_SH)
    lock.write(str(sockets))
    lock.flush()
    folders = RunFolders(root, sockets, lock=lock)
    try:
        folders.work.mkdir(mode=0o755)
        return replace(folders, original=_copy(source, folders.work))
    except OSError:
        folders.remove()
        raise


def remove_leftover_folders(
    parent: Path, sockets_parent: Path | None = None, min_age_seconds: float = LEFTOVER_SECONDS
) -> int:
    """Remove the folders of attempts whose process was killed; return their number. Blocks."""
    count = 0
    for root in parent.iterdir() if parent.is_dir() else ():
        with contextlib.suppress(OSError):  # it is in use, or its attempt has just removed it
            if time.time() - root.stat().st_mtime > min_age_seconds:
                sockets = _read_unlocked(root / _LOCK)
                is_ours = sockets.name.startswith(_SOCKETS_PREFIX)
                if is_ours and sockets.parent in {Path(tempfile.gettempdir()), sockets_parent}:
                    shutil.rmtree(sockets, ignore_errors=True)
                shutil.rmtree(root, ignore_errors=True)
                count += 1
    return count


def _read_unlocked(file: Path) -> Path:
    """Return the path in a file of locks; raises BlockingIOError if an attempt holds the lock."""
    try:
        with file.open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return Path(lock.read())
    except FileNotFoundError:  # the attempt was killed before it had one
        return Path()


def _copy(source: Path, target: Path) -> dict[str, Signature]:
    """Copy regular files; return their signatures by path. Beyond a limit files are left out."""
    copied: dict[str, Signature] = {}
    total = 0
    for file in sorted(source.rglob("*")):
        path = file.relative_to(source)
        if file.is_symlink() or not file.is_file():
            continue
        total += file.stat().st_size
        if total > MAX_COPIED_BYTES:
            break
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        shutil.copy2(file, place)
        found = place.stat()
        copied[path.as_posix()] = (found.st_size, found.st_mtime_ns)
    return copied


def _read(descriptor: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := os.read(descriptor, min(size, 1024**2))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
