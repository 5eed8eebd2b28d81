"""Fills a database with copies of a completed run that differ in time, workflow, inputs and metadata."""

import itertools
import random
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    NullPool,
    Table,
    and_,
    create_engine,
    func,
    insert,
    select,
    text,
)

from crewai_runner.core.ids import Prefix
from crewai_runner.db.base import Id, Json, Timestamp
from crewai_runner.db.migrate import sync_url

BATCH = 10_000
SPAN = timedelta(days=29)
"""The copies are spread over this time until now: all are in the statistics of 30 days."""
WORKFLOWS = 50
TEAMS = ["amber", "blue", "coral", "green", "grey", "pink", "red", "teal", "violet", "white"]
WORDS_PER_RUN = 30
NEEDLE_EVERY = 10_000
"""The inputs of one run in so many contain the word ``needle``."""
SAME = ("started_at", "finished_at", "events_ended_at")
"""Times that equal the time of creation, if the table has them."""


def seed(database_url: str, runs: int, events_of_each: int) -> None:
    """Copy the newest completed run until the database has ``runs`` runs with ``events_of_each`` events.

    No server should use the database. Raises ``LookupError`` when no run has completed.
    """
    engine = create_engine(sync_url(database_url), poolclass=NullPool)
    with engine.begin() as connection:
        Copier(connection, events_of_each).fill(runs)
    if engine.dialect.name == "postgresql":
        # As the server's autovacuum would soon; the product does not gather statistics on SQLite.
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))


class Copier:
    """Copies within the database: only the differences are sent to it."""

    def __init__(self, connection: Connection, events_of_each: int) -> None:
        self._connection, self._events_of_each = connection, events_of_each
        tables = MetaData()
        tables.reflect(connection, only=["runs", "run_events"], resolve_fks=False)
        self._runs, self._events = tables.tables["runs"], tables.tables["run_events"]
        self._copies = Table(
            "copies",
            MetaData(),
            Column("id", Id, primary_key=True),
            Column("created_at", Timestamp),
            Column("workflow_name", Id),
            Column("inputs", Json),
            Column("metadata", Json),
            prefixes=["TEMPORARY"],
        )

    def fill(self, runs: int) -> None:
        newest = select(self._runs.c.id).where(self._runs.c.state == "completed")
        template = self._connection.scalar(newest.order_by(self._runs.c.id.desc()).limit(1))
        if template is None:
            raise LookupError("No completed run to copy.")
        missing = runs - (self._connection.scalar(select(func.count()).select_from(self._runs)) or 0)
        self._copies.create(self._connection)
        copies = list_copies(max(0, missing))
        while batch := list(itertools.islice(copies, BATCH)):
            self._connection.execute(insert(self._copies), batch)
            self._copy(template)
            self._connection.execute(self._copies.delete())
        self._copies.drop(self._connection)

    def _copy(self, template: str) -> None:
        copies = self._copies.c
        differences = {column.name: column for column in copies} | dict.fromkeys(SAME, copies.created_at)
        run = [differences.get(column.name, column).label(column.name) for column in self._runs.c]
        self._insert(self._runs, run, self._runs.c.id == template)
        event = [copies.id if one.name == "run_id" else one for one in self._events.c]
        is_first = self._events.c.seq <= self._events_of_each
        self._insert(self._events, event, and_(self._events.c.run_id == template, is_first))

    def _insert(self, table: Table, row: list[Any], is_copied: ColumnElement[bool]) -> None:
        """Insert the row once for each copy."""
        rows = select(*row).select_from(self._copies.join(table, is_copied)).order_by(self._copies.c.id)
        self._connection.execute(insert(table).from_select(table.c.keys(), rows))


def list_copies(count: int) -> Iterator[dict[str, object]]:
    """Yield what distinguishes each copy, oldest first; the same texts each time."""
    choice = random.Random(1)
    words = ["".join(choice.choices("bcdfglmnprst", k=1) + choice.choices("aeiou", k=1)) for _ in range(60)]
    vocabulary = ["".join(choice.choices(words, k=choice.randint(1, 5))) for _ in range(5000)]
    # Cumulated once: otherwise each choice would do it.
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
    start = datetime.now(UTC) - SPAN
    for number in range(count):
        at = start + SPAN * number / count
        topic = choice.choices(vocabulary, cum_weights=weights, k=WORDS_PER_RUN)
        if number % NEEDLE_EVERY == NEEDLE_EVERY // 2:
            topic.append("needle")
        yield {
            "id": f"{Prefix.RUN}_{int(at.timestamp() * 1000):012x}7{number % 4096:03x}{secrets.token_hex(8)}",
            "created_at": at,
            "workflow_name": f"Weekly report {choice.randrange(WORKFLOWS)}",
            "inputs": {"topic": " ".join(topic)},
            "metadata": {"team": choice.choice(TEAMS), "ticket": number},
        }
