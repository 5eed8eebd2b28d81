"""Migrations in both directions, concurrently, and compared with the table classes."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, create_engine, inspect, text

import crewai_runner.db.tables  # noqa: F401  # registers every table
from crewai_runner.db.base import Base
from crewai_runner.db.migrate import alembic_config, head_revision, sync_url, upgrade
from tests.support.database import BACKENDS, empty_postgresql

TIMESTAMP = datetime(2026, 3, 10, tzinfo=UTC)


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
            context = MigrationContext.configure(connection, opts={"compare_type": True})
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


class TestSingleMigrations:
    def test_index_of_finished_runs_keeps_existing_rows(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0001")
        engine = create_engine(sync_url(empty_url))
        with engine.begin() as connection:
            _add_run(connection, finished_at=TIMESTAMP, cost_amount="0.25")

        for step in (command.upgrade, command.downgrade, command.upgrade):
            step(config, "0002" if step is command.upgrade else "0001")
            with engine.connect() as connection:
                assert connection.execute(text("SELECT id FROM runs WHERE cost_amount > 0")).all() == [
                    ("run_1",)
                ]
                names = {index["name"] for index in inspect(connection).get_indexes("runs")}
            assert ("ix_runs_finished" in names) is (step is command.upgrade)
        engine.dispose()

    def test_rate_buckets_table_is_added_and_dropped(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0002")
        engine = create_engine(sync_url(empty_url))
        with engine.begin() as connection:
            tables = MetaData()
            tables.reflect(connection, only=["workspaces"])
            row = {"id": "ws_1", "name": "W", "created_at": TIMESTAMP}
            connection.execute(tables.tables["workspaces"].insert(), row)

        for step in (command.upgrade, command.downgrade, command.upgrade):
            step(config, "0003" if step is command.upgrade else "0002")
            with engine.begin() as connection:
                assert connection.execute(text("SELECT id FROM workspaces")).all() == [("ws_1",)]
                exists = "rate_buckets" in inspect(connection).get_table_names()
                assert exists is (step is command.upgrade)
                if exists:
                    values = {"caller": "ws_1/key", "tokens": 1.5, "granted": 0, "refilled_at": TIMESTAMP}
                    connection.execute(Base.metadata.tables["rate_buckets"].insert(), values)
        engine.dispose()

    def test_seconds_before_is_zero_for_existing_runs(self, empty_url: str) -> None:
        config = alembic_config(empty_url)
        command.upgrade(config, "0003")
        engine = create_engine(sync_url(empty_url))
        with engine.begin() as connection:
            _add_run(connection, seconds_at_work=7.0)

        for step in (command.upgrade, command.downgrade, command.upgrade):
            step(config, "0004" if step is command.upgrade else "0003")
            with engine.connect() as connection:
                assert connection.execute(text("SELECT seconds_at_work FROM runs")).all() == [(7.0,)]
                columns = {column["name"] for column in inspect(connection).get_columns("runs")}
                assert ("seconds_before" in columns) is (step is command.upgrade)
                if "seconds_before" in columns:
                    assert connection.execute(text("SELECT seconds_before FROM runs")).all() == [(0.0,)]
        engine.dispose()

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


def _add_run(connection: Connection, **values: object) -> None:
    tables = MetaData()
    tables.reflect(connection, only=["workspaces", "runs"])
    row = {"id": "ws_1", "name": "W", "created_at": TIMESTAMP}
    connection.execute(tables.tables["workspaces"].insert(), row)
    run = {"id": "run_1", "workspace_id": "ws_1", "state": "completed"}
    required = {
        column.name: _example_value(column) for column in tables.tables["runs"].c if not column.nullable
    }
    connection.execute(tables.tables["runs"].insert(), required | run | values)


def _example_value(column: Column) -> object:
    """Return a valid value for a column."""
    kind = column.type.python_type
    return {} if kind in (dict, object) else TIMESTAMP if kind is datetime else kind(0)
