"""Write a file completely before it replaces its target."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from crewai_runner.core.secret_key import fsync_directory
from crewai_runner.operations.errors import OperationError


@contextlib.contextmanager
def atomic_write_file(target: Path, *, force: bool) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a file (mode 0600) that replaces the target on success, and a temporary folder.

    On any error the target is unchanged. Raises OperationError when the target exists (unless `force`), when
    it cannot be created, or when another process is writing it.
    """
    _ensure_writable(target, force=force)
    partial = target.with_name(f"{target.name}.partial")
    folder = target.with_name(f"{target.name}.partial.d")
    with _open_locked(partial) as file:
        try:
            shutil.rmtree(folder, ignore_errors=True)  # left by a killed process
            folder.mkdir(mode=0o700)
            yield file, folder
            file.flush()
            os.fsync(file.fileno())
            _ensure_writable(target, force=force)
            partial.replace(target)
            fsync_directory(target.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _ensure_writable(target: Path, *, force: bool) -> None:
    if target.is_dir():
        raise OperationError(f"{target} is a folder; give a file name.")
    if not target.parent.is_dir():
        raise OperationError(f"The folder {target.parent} does not exist.")
    if target.exists() and not force:
        raise OperationError(f"{target} already exists; use --force to replace it.")


@contextlib.contextmanager
def _open_locked(partial: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The previous holder of the lock may have renamed this file to its target.
            is_current = os.path.samestat(os.fstat(file.fileno()), partial.stat())
        except (BlockingIOError, FileNotFoundError):
            is_current = False
        if not is_current:
            raise OperationError(f"Another process is writing {partial}.")
        os.fchmod(file.fileno(), 0o600)
        file.truncate()
        yield file
