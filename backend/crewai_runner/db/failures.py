"""Tells failures of the database that pass from errors of a statement."""

import errno
import sqlite3
from enum import StrEnum

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class StorageFailure(StrEnum):
    """Why the storage takes no writes."""

    FULL = "full"
    READ_ONLY = "read-only"
    BROKEN = "broken"


_BY_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: StorageFailure.FULL,
    sqlite3.SQLITE_READONLY: StorageFailure.READ_ONLY,
    sqlite3.SQLITE_IOERR: StorageFailure.BROKEN,
    sqlite3.SQLITE_CANTOPEN: StorageFailure.BROKEN,
}
_BY_SQLSTATE = {
    "53100": StorageFailure.FULL,
    "25006": StorageFailure.READ_ONLY,
    "58030": StorageFailure.BROKEN,
}
_BY_ERRNO = {
    errno.ENOSPC: StorageFailure.FULL,
    errno.EDQUOT: StorageFailure.FULL,
    errno.EROFS: StorageFailure.READ_ONLY,
    errno.EIO: StorageFailure.BROKEN,
}
_SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_TEMPORARY_CLASSES = ("08", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE: connection, rollback, resources, object in use, operator's intervention, system."""


def find_storage_failure(error: BaseException) -> StorageFailure | None:
    """Return why the storage takes no writes; None for any other error."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0)
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _BY_SQLITE_CODE.get(_sqlite_code(error.orig))
    return _BY_SQLSTATE.get(getattr(error.orig, "sqlstate", None) or "")


def is_temporary(error: BaseException) -> bool:
    """Return whether the same statement may succeed later: the database is away, busy, full or read-only."""
    if isinstance(error, PoolTimeout | OSError) or find_storage_failure(error) is not None:
        return True
    if is_after_lost_connection(error):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in _SQLITE_BUSY
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None:
        return isinstance(error, OperationalError | InterfaceError)
    return str(sqlstate).startswith(_TEMPORARY_CLASSES)


def is_database_unavailable(error: BaseException) -> bool:
    """Return whether an error means that the database is unreachable or overloaded, not a wrong statement."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        return "database is locked" in str(error.orig)
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout)) or is_after_lost_connection(
        error
    )


def is_after_lost_connection(error: BaseException) -> bool:
    """Return whether a statement was refused because its transaction lost the connection before.

    SQLAlchemy's code 8s2b says so; a transaction that another error has ended has a different code.
    """
    return isinstance(error, PendingRollbackError) and error.code == "8s2b"


def _sqlite_code(error: sqlite3.Error) -> int:
    """Return the primary result code; extended codes add more detail in the higher bits."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
