"""Return the free pages of an SQLite file to the file system."""

import asyncio
import sqlite3
from contextlib import closing

from sqlalchemy.engine import make_url

from crewai_runner.db.sqlite import BUSY_TIMEOUT_MS

PAGES_PER_STEP = 250
PAUSE_SECONDS = 0.1
INCREMENTAL = 2
"""The value of `PRAGMA auto_vacuum` for databases whose free pages can be released in steps."""


async def release_free_pages(database_url: str) -> int:
    """Shrink the file in small steps, between which other writers proceed; return the number of pages.

    Does nothing for a database that was created without `auto_vacuum=INCREMENTAL`.
    """
    released = 0
    while step := await asyncio.to_thread(_release_step, str(make_url(database_url).database)):
        released += step
        await asyncio.sleep(PAUSE_SECONDS)
    return released


def _release_step(path: str) -> int:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)
    with closing(connection):
        free = read_pragma(connection, "freelist_count")
        if free == 0 or read_pragma(connection, "auto_vacuum") != INCREMENTAL:
            return 0
        # Each fetched row releases one page.
        connection.execute(f"PRAGMA incremental_vacuum({PAGES_PER_STEP})").fetchall()
        # Closing the last connection of an idle file would checkpoint anyway; the others keep theirs open.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return free - read_pragma(connection, "freelist_count")


def read_pragma(connection: sqlite3.Connection, name: str) -> int:
    """Return the value of a numeric pragma."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
