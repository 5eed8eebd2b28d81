"""One process for one SQLite folder: a lock that dies with its holder."""

import fcntl
import os
from pathlib import Path

LOCK_FILE = ".crewai-runner.lock"


class DataDirInUse(RuntimeError):
    """Another process already works with this folder."""


class DataDirLock:
    """A lock on a folder, held until `release` or the end of the process, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; nothing happens when it is held already. Raises DataDirInUse at once when
        another holder lives."""
        if self._descriptor is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # flock, not a pid file: the kernel lets go of it at a kill -9 too.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DataDirInUse(f"another process already uses {self._folder}") from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; harmless when nothing is held. The file stays, so nobody locks a ghost of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
