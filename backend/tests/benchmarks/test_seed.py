"""Copies of a run in a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from benchmarks.seed import TEAMS, seed
from crewai_runner.db.migrate import sync_url
from tests.db.test_migrations import add_row_to_every_table
from tests.support.database import BACKENDS, fresh_database

PARENTS = ["workspaces", "runs"]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database(request.param, tmp_path) as database_url:
        yield database_url


def add_run(connection: Connection, run_id: str, state: str, events: int = 0) -> None:
    add_row_to_every_table(connection, only=PARENTS, id=run_id, state=state, workflow_name="Tea")
    insert = text(
        "INSERT INTO run_events (run_id, seq, attempt, type, at, frame)"
        " SELECT id, :seq, 1, 'run.queued', created_at, '{}' FROM runs WHERE id = :run_id"
    )
    for seq in range(1, events + 1):
        connection.execute(insert, {"run_id": run_id, "seq": seq})


def read(url: str, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return rows


class TestSeed:
    def test_copies_the_newest_completed_run_with_its_first_events(self, url: str) -> None:
        engine = create_engine(sync_url(url))
        with engine.begin() as connection:
            add_run(connection, "run_1", "completed", events=5)
            add_run(connection, "run_2", "failed")
        engine.dispose()

        seed(url, runs=12, events_of_each=3)

        assert read(url, "SELECT state, count(*) FROM runs GROUP BY 1 ORDER BY 1") == [
            ("completed", 11),
            ("failed", 1),
        ]
        assert read(url, "SELECT count(*), max(seq) FROM run_events WHERE run_id <> 'run_1'") == [(30, 3)]

    def test_copies_differ_in_time_and_texts(self, url: str) -> None:
        engine = create_engine(sync_url(url))
        with engine.begin() as connection:
            add_run(connection, "run_1", "completed")
        engine.dispose()

        seed(url, runs=101, events_of_each=1)

        copies = "FROM runs WHERE id <> 'run_1'"
        assert read(url, f"SELECT count(DISTINCT id), count(DISTINCT created_at) {copies}") == [(100, 100)]
        by_id, by_time = (
            read(url, f"SELECT id {copies} ORDER BY {column}") for column in ("id", "created_at")
        )
        assert by_id == by_time
        assert read(url, f"SELECT count(DISTINCT workflow_name) > 30 {copies}")[0][0]
        teams = read(url, "SELECT DISTINCT value FROM run_metadata WHERE key = 'team' ORDER BY 1")
        assert [team for (team,) in teams] == TEAMS

    def test_requires_a_completed_run(self, url: str) -> None:
        with pytest.raises(LookupError):
            seed(url, runs=5, events_of_each=1)
