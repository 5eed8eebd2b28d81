"""The work folder of a run: a copy of the project, bounded in size, from which written files are collected.

A project runs in a copy, not in an overlay or over hard links: every relative path works, bubblewrap supports
overlays only since 0.10, and a program that owns a hard link could change the stored version through it.
Nothing here follows a symbolic link, and every file is opened relative to its folder: the command may replace
a folder by a link at any moment.
"""

import asyncio
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from crewai_runner.executor.projects.sandbox.port import SandboxLimits

MAX_DEPTH = 32
WATCH_SECONDS = 0.5
MIN_FREE_BYTES = 256 * 1024**2
"""A command is also ended when the disk has less: files that are deleted but open are found nowhere else."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class WorkFolderTooLarge(Exception):
    """A work folder has more bytes, files or nested folders than its limits allow."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What changes when a file is written."""

    size: int
    modified_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file or folder that was found: `name` in the open folder `folder`, at `path` below the root."""

    folder: int
    name: str
    path: str
    status: os.stat_result

    @property
    def is_regular(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)

    @property
    def state(self) -> FileState:
        return FileState(self.status.st_size, self.status.st_mtime_ns, self.status.st_ino)


def copy_project(project: Path, work: Path) -> Mapping[str, FileState]:
    """Copy the files of a project into the empty work folder, and return their states.

    Links and special files are left out. Blocks; raises OSError.
    """
    shutil.copytree(project, work, dirs_exist_ok=True, ignore=_ignore_special_files)
    for folder, _, _ in os.walk(work):
        Path(folder).chmod(0o755)
    return read_states(work)


def read_states(work: Path) -> Mapping[str, FileState]:
    """Return the state of every regular file, by its path relative to the folder. Blocks."""
    return {entry.path: entry.state for entry in _walk(work) if entry.is_regular}


def measure(work: Path, limits: SandboxLimits) -> int:
    """Return the bytes that the folder occupies on the disk. Blocks; raises WorkFolderTooLarge."""
    size = 0
    for count, entry in enumerate(_walk(work), start=1):
        size += entry.status.st_blocks * 512
        if count > limits.work_files:
            raise WorkFolderTooLarge(f"more than {limits.work_files:,} files and folders")
        if size > limits.work_size:
            raise WorkFolderTooLarge(f"more than {limits.work_size // 1024**2:,} MiB")
    if shutil.disk_usage(work).free < MIN_FREE_BYTES:
        raise WorkFolderTooLarge("the disk is nearly full")
    return size


async def watch_work_folder(work: Path, limits: SandboxLimits) -> WorkFolderTooLarge:
    """Return when the folder exceeds the limits. Measuring takes at most a twentieth of the time."""
    while True:
        started = time.monotonic()
        try:
            await asyncio.to_thread(measure, work, limits)
        except WorkFolderTooLarge as error:
            return error
        except OSError as error:  # locked by its owner, so that it cannot be measured
            return WorkFolderTooLarge(f"the folder cannot be read: {error.strerror}")
        await asyncio.sleep(max(WATCH_SECONDS, 20 * (time.monotonic() - started)))


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A regular file that the command has created or changed. `path` is relative, with `/`."""

    path: str
    size: int


def list_written(
    work: Path, before: Mapping[str, FileState], max_files: int, max_bytes: int
) -> tuple[list[WrittenFile], int]:
    """Return the files that are new or changed, in the order of their paths, and how many exceed the limits.

    Call it after the end of the command. Blocks. A sparse file counts with its full length.
    """
    found: list[WrittenFile] = []
    left_out = size = 0
    changed = (e for e in _walk(work) if e.is_regular and before.get(e.path) != e.state)
    for entry in sorted(changed, key=lambda entry: entry.path):
        if len(found) >= max_files or size + entry.status.st_size > max_bytes:
            left_out += 1
            continue
        size += entry.status.st_size
        found.append(WrittenFile(entry.path, entry.status.st_size))
    return found, left_out


def open_written(work: Path, file: WrittenFile) -> BinaryIO:
    """Open a file for reading. Blocks; raises OSError, also if a part of its path is a link."""
    *folders, name = file.path.split("/")
    with ExitStack() as stack:
        folder = os.open(work, _FOLDER)
        stack.callback(os.close, folder)
        for part in folders:
            folder = os.open(part, _FOLDER, dir_fd=folder)
            stack.callback(os.close, folder)
        number = os.open(name, _FILE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(f"{file.path} is not a regular file")
    return os.fdopen(number, "rb")


def give_to_user(folder: Path, user: int) -> None:
    """Make a folder and its contents belong to the user, unless it does already. Blocks; requires root."""
    if folder.lstat().st_uid == user:
        return
    for entry in _walk(folder):
        os.chown(entry.name, user, user, dir_fd=entry.folder, follow_symlinks=False)
    os.chown(folder, user, user)


def _walk(root: Path) -> Iterator[_Entry]:
    """Yield everything below a folder, links as links. Raises WorkFolderTooLarge for deep nesting."""
    top = os.open(root, _FOLDER)
    yield from _walk_open(top, "", 1)


def _walk_open(folder: int, prefix: str, depth: int) -> Iterator[_Entry]:
    """Yield what an open folder contains, and close it."""
    if depth > MAX_DEPTH:
        os.close(folder)
        raise WorkFolderTooLarge(f"folders nested more than {MAX_DEPTH} deep")
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield _Entry(folder, entry.name, prefix + entry.name, status)
                if stat.S_ISDIR(status.st_mode):
                    yield from _open_below(folder, entry.name, prefix, depth)
    finally:
        os.close(folder)


def _open_below(folder: int, name: str, prefix: str, depth: int) -> Iterator[_Entry]:
    try:
        below = os.open(name, _FOLDER, dir_fd=folder)
    except OSError:  # gone, or a link by now, or without reading rights
        return
    yield from _walk_open(below, f"{prefix}{name}/", depth + 1)


def _ignore_special_files(folder: str, names: list[str]) -> list[str]:
    def is_plain(name: str) -> bool:
        mode = (Path(folder) / name).lstat().st_mode
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)

    return [name for name in names if not is_plain(name)]
