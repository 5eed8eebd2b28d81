"""Migrations: up, down, up; by two at once; and they make exactly the tables the code knows."""

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

MOMENT = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with empty_postgresql() as url:
        yield url


def tables_of(url: str) -> set[str]:
    engine = create_engine(sync_url(url))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_goes_up_down_and_up_again(empty_url: str) -> None:
    upgrade(empty_url)

    command.downgrade(alembic_config(empty_url), "base")

    assert tables_of(empty_url) == {"alembic_version"}
    upgrade(empty_url)
    assert set(Base.metadata.tables) <= tables_of(empty_url)


def test_makes_exactly_the_tables_that_the_code_knows(empty_url: str) -> None:
    upgrade(empty_url)
    engine = create_engine(sync_url(empty_url))

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()

    assert differences == []


def test_runs_once_when_two_servers_start_at_the_same_time(empty_url: str) -> None:
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


def test_the_index_of_finished_runs_comes_to_a_database_with_runs(empty_url: str) -> None:
    config = alembic_config(empty_url)
    command.upgrade(config, "0001")
    engine = create_engine(sync_url(empty_url))
    with engine.begin() as connection:
        _add_run(connection, finished_at=MOMENT, cost_amount="0.25")

    for step in (command.upgrade, command.downgrade, command.upgrade):
        step(config, "0002" if step is command.upgrade else "0001")
        with engine.connect() as connection:
            assert connection.execute(text("SELECT id FROM runs WHERE cost_amount > 0")).all() == [("run_1",)]
            there = {index["name"] for index in inspect(connection).get_indexes("runs")}
        assert ("ix_runs_finished" in there) is (step is command.upgrade)
    engine.dispose()


def test_rate_buckets_come_and_go_beside_rows_that_stay(empty_url: str) -> None:
    config = alembic_config(empty_url)
    command.upgrade(config, "0002")
    engine = create_engine(sync_url(empty_url))
    with engine.begin() as connection:
        tables = MetaData()
        tables.reflect(connection, only=["workspaces"])
        row = {"id": "ws_1", "name": "W", "created_at": MOMENT}
        connection.execute(tables.tables["workspaces"].insert(), row)

    for step in (command.upgrade, command.downgrade, command.upgrade):
        step(config, "0003" if step is command.upgrade else "0002")
        with engine.begin() as connection:
            assert connection.execute(text("SELECT id FROM workspaces")).all() == [("ws_1",)]
            there = "rate_buckets" in inspect(connection).get_table_names()
            assert there is (step is command.upgrade)
            if there:
                values = {"caller": "ws_1/key", "tokens": 1.5, "granted": 0, "refilled_at": MOMENT}
                connection.execute(Base.metadata.tables["rate_buckets"].insert(), values)
    engine.dispose()


def test_runs_of_before_have_their_whole_time_limit(empty_url: str) -> None:
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


def _add_run(connection: Connection, **values: object) -> None:
    tables = MetaData()
    tables.reflect(connection, only=["workspaces", "runs"])
    row = {"id": "ws_1", "name": "W", "created_at": MOMENT}
    connection.execute(tables.tables["workspaces"].insert(), row)
    run = {"id": "run_1", "workspace_id": "ws_1", "state": "completed"}
    filled = {column.name: _anything(column) for column in tables.tables["runs"].c if not column.nullable}
    connection.execute(tables.tables["runs"].insert(), filled | run | values)


def _anything(column: Column) -> object:
    """A value that a column takes."""
    kind = column.type.python_type
    return {} if kind in (dict, object) else MOMENT if kind is datetime else kind(0)
