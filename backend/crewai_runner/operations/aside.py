"""Files written beside their place, and put there in one step."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from crewai_runner.core.secret_key import fsync_directory
from crewai_runner.operations.refusal import Refused


@contextlib.contextmanager
def written_aside(target: Path, *, force: bool) -> Iterator[tuple[BinaryIO, Path]]:
    """A file (mode 0600) that takes the target's place at the end, and a folder to prepare it in.

    Whatever goes wrong, the target is what it was. Raises Refused when it exists (unless `force`), cannot be
    there, or is being written by another process.
    """
    _refuse(target, force=force)
    partial = target.with_name(f"{target.name}.partial")
    folder = target.with_name(f"{target.name}.partial.d")
    with _alone_with(partial) as file:
        try:
            shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
            folder.mkdir(mode=0o700)
            yield file, folder
            file.flush()
            os.fsync(file.fileno())
            _refuse(target, force=force)
            partial.replace(target)
            fsync_directory(target.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _refuse(target: Path, *, force: bool) -> None:
    if target.is_dir():
        raise Refused(f"{target} is a folder; name a file.")
    if not target.parent.is_dir():
        raise Refused(f"There is no folder {target.parent}.")
    if target.exists() and not force:
        raise Refused(f"{target} exists already; --force replaces it.")


@contextlib.contextmanager
def _alone_with(partial: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held the lock before may have renamed this very file to its target.
            same = os.path.samestat(os.fstat(file.fileno()), partial.stat())
        except (BlockingIOError, FileNotFoundError):
            same = False
        if not same:
            raise Refused(f"Another process is writing {partial}.")
        os.fchmod(file.fileno(), 0o600)
        file.truncate()
        yield file
