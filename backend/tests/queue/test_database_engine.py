"""The queue's own connections."""

import sqlite3
from typing import Any

import pytest
from sqlalchemy import text

from crewai_runner.queue.database_engine import close_queue_engine, make_queue_engine


class TestQueueEngine:
    def test_sqlite_uses_wal_and_has_a_subsecond_clock(self, sqlite_url: str) -> None:
        engine = make_queue_engine(sqlite_url)
        with engine.connect() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 30_000
            assert connection.execute(text("SELECT unixepoch('subsec')")).scalar_one() > 1_700_000_000
        close_queue_engine(engine)

    def test_closes_a_connection_returned_after_close(self, sqlite_url: str) -> None:
        engine = make_queue_engine(sqlite_url)
        straggler = engine.raw_connection()
        driver: Any = straggler.dbapi_connection

        close_queue_engine(engine)
        straggler.close()

        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            driver.execute("SELECT 1")

    def test_postgres_ends_idle_transactions(self, postgres_url: str) -> None:
        engine = make_queue_engine(postgres_url)
        with engine.connect() as connection:
            limit = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar()
        close_queue_engine(engine)

        assert limit == "1min"
