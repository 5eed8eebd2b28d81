"""Sends the files of a folder over a connection, and receives them: regular files and folders only."""

import asyncio
import contextlib
import os
import stat
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from crewai_runner.executor.projects.sandbox.agent.protocol import (
    MAX_DATA_BYTES,
    Channel,
    Data,
    End,
    File,
    Folder,
    MalformedMessage,
    Message,
)
from crewai_runner.executor.projects.sandbox.agent.users import acting_as
from crewai_runner.executor.projects.sandbox.port import SandboxLimits
from crewai_runner.executor.projects.sandbox.work_folder import WrittenFile, open_written

MAX_PATH_BYTES = 4000
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def list_folders(root: Path) -> list[str]:
    """Return the folders below a folder, outer ones first, without links. Blocks."""
    found = []
    for parent, names, _ in os.walk(root):
        for name in sorted(names):
            path = Path(parent, name)
            if not path.is_symlink():
                found.append(path.relative_to(root).as_posix())
    return found


async def send_files(
    channel: Channel, root: Path, files: Iterable[WrittenFile], left_out: int = 0, user: int | None = None
) -> None:
    """Send files of a folder, read as the user, and the end. What cannot be read is counted as left out."""
    for file in files:
        try:
            file.path.encode()
            opened, is_executable = await asyncio.to_thread(_open, root, file, user)
        except (OSError, UnicodeEncodeError):
            left_out += 1
            continue
        with opened:
            await channel.send(File(path=file.path, is_executable=is_executable))
            left = file.size
            while left and (part := await asyncio.to_thread(opened.read, min(left, MAX_DATA_BYTES))):
                left -= len(part)
                await channel.send(Data(), part)
    await channel.send(End(left_out=left_out))


def _open(root: Path, file: WrittenFile, user: int | None) -> tuple[BinaryIO, bool]:
    with _identity(user):
        opened = open_written(root, file)
    return opened, bool(os.fstat(opened.fileno()).st_mode & stat.S_IXUSR)


def _identity(user: int | None) -> AbstractContextManager[None]:
    return nullcontext() if user is None else acting_as(user)


@dataclass(slots=True)
class FileReceiver:
    """Writes received files below `root`, as the user; `left_out` counts those that did not fit.

    A file that exists is overwritten. Nothing else may write to the folder meanwhile.
    """

    root: Path
    limits: SandboxLimits
    user: int | None = None
    left_out: int = 0
    _files: int = 0
    _bytes: int = 0
    _open: "BinaryIO | None" = field(default=None)

    async def receive_all(self, channel: Channel) -> None:
        """Receive up to the end. Raises MalformedMessage, and OSError if the disk is full."""
        try:
            while True:
                received = await channel.receive()
                if received is None:
                    raise MalformedMessage("The connection ended before the files did.")
                message, data = received
                if isinstance(message, End):
                    self.left_out += message.left_out
                    return
                await asyncio.to_thread(self._take, message, data)
        finally:
            self._close()

    def _take(self, message: Message, data: bytes) -> None:
        with _identity(self.user):
            if isinstance(message, Data):
                self._write(data)
            elif isinstance(message, Folder):
                self._locate(message.path).mkdir(parents=True, exist_ok=True, mode=0o755)
            elif isinstance(message, File):
                self._begin(message)
            else:
                raise MalformedMessage(f"A message {message.type} is not expected here.")

    def _begin(self, message: File) -> None:
        self._close()
        path = self._locate(message.path)
        self._files += 1
        if self._files > self.limits.work_files:
            self.left_out += 1
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            number = os.open(path, _NEW, 0o755 if message.is_executable else 0o644)
        except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError):
            self.left_out += 1
            return
        self._open = os.fdopen(number, "wb", buffering=0)

    def _write(self, data: bytes) -> None:
        if self._open is None:
            return
        self._bytes += len(data)
        if self._bytes > self.limits.work_size:
            self.left_out += 1
            self._close()
        else:
            self._open.write(data)

    def _locate(self, path: str) -> Path:
        """Return the place of a path that leads nowhere else. Raises MalformedMessage."""
        parts = path.split("/")
        if "\0" in path or {"", ".", ".."} & set(parts) or len(path.encode()) > MAX_PATH_BYTES:
            raise MalformedMessage("A file has a path that leads out of its folder.")
        return self.root.joinpath(*parts)

    def _close(self) -> None:
        if self._open is not None:
            with contextlib.suppress(OSError):
                self._open.close()
            self._open = None
