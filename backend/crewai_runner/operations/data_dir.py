"""Exclusive use of the data folder by a maintenance command."""

from collections.abc import Iterator
from contextlib import contextmanager

from crewai_runner.core.settings import Settings
from crewai_runner.operations.errors import OperationError
from crewai_runner.queue.data_dir_lock import DataDirInUse, DataDirLock


@contextmanager
def lock_data_dir(settings: Settings, action: str) -> Iterator[None]:
    """Keep other processes out of the folder. Raises OperationError if one uses it."""
    lock = DataDirLock(settings.sqlite_directory or settings.data_dir)
    try:
        lock.acquire()
    except DataDirInUse as error:
        raise OperationError(f"Cannot {action}: {error}. Stop that process first.") from None
    try:
        yield
    finally:
        lock.release()
