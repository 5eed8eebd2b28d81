"""Migrations: up, down, up; by two at once; and they make exactly the tables the code knows."""

import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

import crewai_runner.db.tables  # noqa: F401  # registers every table
from crewai_runner.db.base import Base
from crewai_runner.db.migrate import alembic_config, newest_revision, sync_url, upgrade
from tests.support.database import BACKENDS, empty_postgresql


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
        assert MigrationContext.configure(connection).get_current_revision() == newest_revision()
    engine.dispose()
