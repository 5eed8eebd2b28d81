"""Fills a database with copies of a completed run."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crewai_runner.core.ids import Prefix, new_id

BATCH = 5000


def seed(database: Path, runs: int, events_of_each: int) -> None:
    """Copy the newest completed run until the database has ``runs`` runs with ``events_of_each`` events.

    The server must be stopped. Raises ``LookupError`` when no run has completed.
    """
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous=OFF")
        newest = "SELECT * FROM runs WHERE state = 'completed' ORDER BY id DESC LIMIT 1"
        run = connection.execute(newest).fetchone()
        if run is None:
            raise LookupError("No completed run to copy.")
        wanted = "SELECT * FROM run_events WHERE run_id = ? ORDER BY seq LIMIT ?"
        events = connection.execute(wanted, (run["id"], events_of_each)).fetchall()
        missing = runs - connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        for size in _batches(missing):
            ids = [new_id(Prefix.RUN) for _ in range(size)]
            with connection:
                _copy(connection, "runs", [run], "id", ids)
                _copy(connection, "run_events", events, "run_id", ids)
        connection.execute("ANALYZE")


def _batches(total: int) -> Iterator[int]:
    for start in range(0, max(0, total), BATCH):
        yield min(BATCH, total - start)


def _copy(connection: sqlite3.Connection, table: str, rows: list[Any], key: str, ids: list[str]) -> None:
    """Insert every row once per id, with the key column replaced."""
    if not rows:
        return
    columns = rows[0].keys()
    quoted = ", ".join(f'"{column}"' for column in columns)
    placeholders = ", ".join("?" for _ in columns)
    copies = ([one if column == key else row[column] for column in columns] for one in ids for row in rows)
    connection.executemany(f"INSERT INTO {table} ({quoted}) VALUES ({placeholders})", copies)
