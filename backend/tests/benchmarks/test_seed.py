"""Copies of a run in a database."""

import sqlite3
from pathlib import Path

import pytest

from benchmarks.seed import seed


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "product.db"
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE runs (id TEXT PRIMARY KEY, state TEXT, "metadata" TEXT)')
        connection.execute("CREATE TABLE run_events (run_id TEXT, seq INTEGER, PRIMARY KEY (run_id, seq))")
    connection.close()
    return path


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


class TestSeed:
    def test_copies_the_newest_completed_run_with_its_first_events(self, database: Path) -> None:
        connection = sqlite3.connect(database)
        with connection:
            connection.execute(
                "INSERT INTO runs VALUES ('run_1', 'completed', '{}'), ('run_2', 'failed', 'x')"
            )
            connection.executemany(
                "INSERT INTO run_events VALUES ('run_1', ?)", [(seq,) for seq in range(1, 6)]
            )
        connection.close()

        seed(database, runs=12, events_of_each=3)

        assert rows(database, "SELECT state, metadata, count(*) FROM runs GROUP BY 1, 2") == [
            ("completed", "{}", 11),
            ("failed", "x", 1),
        ]
        assert rows(database, "SELECT count(*), max(seq) FROM run_events WHERE run_id <> 'run_1'") == [
            (30, 3)
        ]

    def test_requires_a_completed_run(self, database: Path) -> None:
        with pytest.raises(LookupError):
            seed(database, runs=5, events_of_each=1)
