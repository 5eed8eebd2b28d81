"""Lock file that lets only one process use an SQLite data folder."""

import fcntl
import os
from pathlib import Path

LOCK_FILE = ".crewai-runner.lock"


class DataDirInUse(RuntimeError):
    """Another process already uses this folder."""


class DataDirLock:
    """An exclusive lock on a folder, held until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Acquire the lock; does nothing if this object holds it. Raises DataDirInUse without waiting."""
        if self._descriptor is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # flock instead of a pid file: the kernel releases it even after SIGKILL.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise DataDirInUse(f"another process already uses {self._folder}") from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock, if held. The file stays: deleting it would allow two locks at once."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
