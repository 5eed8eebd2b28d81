"""Migrations in both directions, concurrently, and compared with the table classes."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, create_engine, inspect, select, text

import crewai_runner.db.tables  # noqa: F401  # registers every table
from crewai_runner.db.base import Base
from crewai_runner.db.migrate import alembic_config, head_revision, sync_url, upgrade
from crewai_runner.db.tables.run_search import is_search_index
from tests.support.database import BACKENDS, empty_postgresql

TIMESTAMP = datetime(2026, 3, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
_SCRIPTS = ScriptDirectory.from_config(alembic_config("sqlite://"))
Rows = dict[str, list[dict[str, object]]]
REVISIONS = [script.revision for script in _SCRIPTS.walk_revisions("base", "heads")]


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with empty_postgresql() as url:
        yield url


def table_names(url: str) -> set[str]:
    engine = create_engine(sync_url(url))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


class TestMigrations:
    def test_upgrade_downgrade_and_upgrade(self, empty_url: str) -> None:
        upgrade(empty_url)

        command.downgrade(alembic_config(empty_url), "base")

        assert table_names(empty_url) == {"alembic_version"}
        upgrade(empty_url)
        assert set(Base.metadata.tables) <= table_names(empty_url)

    def test_schema_matches_the_table_classes(self, empty_url: str) -> None:
        upgrade(empty_url)
        engine = create_engine(sync_url(empty_url))

        with engine.connect() as connection:
            # The index for searches exists where the database has the extension for it.
            include = {"include_name": lambda name, *_: not is_search_index(name)}
            context = MigrationContext.configure(connection, opts={"compare_type": True, **include})
            differences = compare_metadata(context, Base.metadata)
        engine.dispose()

        assert differences == []

    def test_concurrent_upgrades_run_once(self, empty_url: str) -> None:
        failures: list[Exception] = []

        def start() -> None:
            try:
                upgrade(empty_url)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=start) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        engine = create_engine(sync_url(empty_url))
        with engine.connect() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == head_revision()
        engine.dispose()


class TestEveryMigration:
    def test_keeps_the_rows_of_the_version_before(self, empty_url: str) -> None:
        """Each migration finds a row in every table of the versions before it."""
        config = alembic_config(empty_url)
        first, *later = reversed(REVISIONS)
        command.upgrade(config, first)
        for before, revision in pairwise((first, *later)):
            with connected(empty_url) as connection:
                add_row_to_every_table(connection)
                rows = read_rows(connection)

            command.upgrade(config, revision)

            with connected(empty_url) as connection:
                assert shared_columns(read_rows(connection), rows) == rows, revision
            # A downgrade may have to write a value differently, but it loses no row.
            for step, target in ((command.downgrade, before), (command.upgrade, revision)):
                step(config, target)
                with connected(empty_url) as connection:
                    left = {name: count_rows(connection, name) for name in rows}
                assert left == {name: len(found) for name, found in rows.items()}, (revision, step)


def count_rows(connection: Connection, table: str) -> int:
    found: int = connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one()
    return found


class TestSingleMigrations:
    def test_seconds_before_is_zero_for_existing_runs(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0003")
        with connected(empty_url) as connection:
            add_row_to_every_table(connection)

        command.upgrade(config, "0004")

        with connected(empty_url) as connection:
            assert connection.execute(text("SELECT seconds_before FROM runs")).all() == [(0.0,)]

    def test_open_messages_of_ended_runs_are_closed(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0006")
        with connected(empty_url) as connection:
            runs = {"over": {"state": "failed", "finished_at": TIMESTAMP + HOUR}, "on": {"state": "running"}}
            for run_id, columns in runs.items():
                add_row_to_every_table(connection, only=["workspaces", "runs"], id=run_id, **columns)
                for message_id, message in {
                    "sent": {"state": "queued"},
                    "received": {"state": "delivered", "delivered_at": TIMESTAMP},
                    "asked": {"state": "queued", "created_at": TIMESTAMP + HOUR},
                    "feedback": {"state": "answered", "answered_by": "live-state"},
                }.items():
                    values = {"id": f"{run_id}-{message_id}", "run_id": run_id} | message
                    add_row_to_every_table(connection, only=["messages"], **values)
            before = read_messages(connection)

        command.upgrade(config, "0007")
        with connected(empty_url) as connection:
            after = read_messages(connection)
        command.downgrade(config, "0006")

        assert after == {
            "over-sent": ("undelivered", None),
            "over-received": ("unanswered", None),
            "over-asked": ("unanswered", None),
            "over-feedback": ("answered", "approval"),
            "on-sent": ("queued", None),
            "on-received": ("delivered", None),
            "on-asked": ("queued", None),
            "on-feedback": ("answered", "approval"),
        }
        with connected(empty_url) as connection:
            assert read_messages(connection) == before

    def test_existing_runs_have_no_claim_and_no_stored_events(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0008")
        with connected(empty_url) as connection:
            add_row_to_every_table(connection)

        command.upgrade(config, "0009")

        with connected(empty_url) as connection:
            assert connection.execute(text("SELECT claim, attempt_events FROM runs")).all() == [(None, 0)]

    def test_finished_runs_get_the_time_of_their_last_event(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0009")
        with connected(empty_url) as connection:
            for run_id, finished_at in (("over", TIMESTAMP + HOUR), ("active", None)):
                values = {"id": run_id, "finished_at": finished_at}
                add_row_to_every_table(connection, only=["workspaces", "runs"], **values)

        command.upgrade(config, "0010")

        with connected(empty_url) as connection:
            query = text("SELECT id, events_ended_at = finished_at, events_deleted_at FROM runs ORDER BY id")
            assert connection.execute(query).all() == [("active", None, None), ("over", True, None)]

    def test_existing_runs_are_measured(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0011")
        with connected(empty_url) as connection:
            tables = ["workspaces", "runs", "run_events"]
            add_row_to_every_table(connection, only=tables, frame="Tée")
            add_row_to_every_table(connection, only=[*tables[:2], "artifacts"], size=1000)
            add_row_to_every_table(connection, only=[*tables[:2], "messages"], text="Hi", answer="Yes")

        command.upgrade(config, "0014")

        with connected(empty_url) as connection:
            # `definition`, `inputs` and `metadata` are `{}`.
            assert connection.execute(text("SELECT stored_bytes FROM runs")).scalar_one() == 6 + 4 + 1000 + 5

    def test_existing_runs_become_searchable(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0013")
        with connected(empty_url) as connection:
            texts = {"inputs": {"topics": ["Grüner Tee", 7, True, None]}, "metadata": {"team": "blue"}}
            values = {"id": "run_1", "workflow_name": "Tea", "error": {"message": "No"}, **texts}
            add_row_to_every_table(connection, only=["workspaces", "runs"], **values)

        for step, target in (
            (command.upgrade, "0015"),
            (command.downgrade, "0013"),
            (command.upgrade, "0015"),
        ):
            step(config, target)

        with connected(empty_url) as connection:
            row = connection.execute(text("SELECT run_id, text FROM run_search")).one()
            assert tuple(row) == ("run_1", "run_1\nTea\nblue\nNo\nGrüner Tee\n7")
            if connection.dialect.name == "sqlite":
                matches = "SELECT rowid FROM run_search_index WHERE run_search_index MATCH 'grüner'"
                assert connection.execute(text(matches)).scalar_one() == 1

    def test_model_names_leave_endpoint_and_addresses_stay(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0004")
        engine = create_engine(sync_url(empty_url))
        old = {
            "a": "/v1/chat/completions",
            "b": "org/gpt-4o",
            "c": None,
            "d": "http://host/v1",
            "e": "gpt-4o",
        }
        with engine.begin() as connection:
            _add_models(connection, old)

        for step in (command.upgrade, command.downgrade, command.upgrade):
            step(config, "0005" if step is command.upgrade else "0004")
            with engine.connect() as connection:
                columns = "endpoint, provider_model" if step is command.upgrade else "endpoint"
                rows = connection.execute(text(f"SELECT {columns} FROM models ORDER BY name")).all()
            assert rows == (
                [
                    ("/v1/chat/completions", "a"),
                    (None, "org/gpt-4o"),
                    (None, "c"),
                    ("http://host/v1", "d"),
                    (None, "gpt-4o"),
                ]
                if step is command.upgrade
                else [("/v1/chat/completions",), ("org/gpt-4o",), ("c",), ("http://host/v1",), ("gpt-4o",)]
            )
        engine.dispose()


def _add_models(connection: Connection, endpoints: dict[str, str | None]) -> None:
    """Add a model for each name with this endpoint."""
    tables = MetaData()
    tables.reflect(connection, only=["workspaces", "providers", "models"])
    links = {"workspace_id": "ws_1", "provider_id": "prov_1"}
    for name, row in [
        ("workspaces", {"id": "ws_1", "name": "W", "created_at": TIMESTAMP}),
        ("providers", {"id": "prov_1", "workspace_id": "ws_1"}),
        *(
            ("models", links | {"id": key, "name": key, "endpoint": value})
            for key, value in endpoints.items()
        ),
    ]:
        table = tables.tables[name]
        required = {column.name: _example_value(column) for column in table.c if not column.nullable}
        connection.execute(table.insert(), required | row)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def add_row_to_every_table(connection: Connection, only: Sequence[str] = (), **values: object) -> None:
    """Insert one row into each table, parents first; `values` are used where a table has such a column.

    `only` restricts the tables. A row that exists already is kept.
    """
    tables = MetaData()
    tables.reflect(connection)
    added: dict[str, object] = {}
    for table in tables.sorted_tables:
        is_added = not is_search_index(table.name) and table.name != "alembic_version"
        if not is_added or (only and table.name not in only):
            continue
        row = {column.name: _example_value(column) for column in table.c if not column.nullable}
        for key in table.foreign_keys:
            row[key.parent.name] = added.get(key.target_fullname, "x")
        if not only or table.name == only[-1]:
            row |= {name: value for name, value in values.items() if name in table.c}
        key_columns = list(table.primary_key)
        exists = select(table).where(*(column == row[column.name] for column in key_columns))
        if connection.execute(exists).first() is None:
            connection.execute(table.insert(), row)
        added |= {f"{table.name}.{name}": value for name, value in row.items()}


def read_rows(connection: Connection) -> Rows:
    """The rows of every table."""
    tables = MetaData()
    tables.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in tables.sorted_tables
        if table.name != "alembic_version" and not is_search_index(table.name)
    }


def shared_columns(rows: Rows, earlier: Rows) -> Rows:
    """The rows without the tables and columns that an earlier version does not have."""
    return {
        name: [{key: row[key] for key in old} for row, old in zip(rows[name], olds, strict=True)]
        for name, olds in earlier.items()
    }


def read_messages(connection: Connection) -> dict[str, tuple[str, str | None]]:
    query = text("SELECT id, state, answered_by FROM messages")
    return {row.id: (row.state, row.answered_by) for row in connection.execute(query)}


def _example_value(column: Column) -> object:
    """Return a valid value for a column."""
    kind = column.type.python_type
    examples = {dict: {}, object: {}, datetime: TIMESTAMP, str: "x"}
    return examples[kind] if kind in examples else kind(0)
