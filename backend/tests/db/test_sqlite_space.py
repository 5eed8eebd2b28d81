"""Releasing the space of deleted rows of an SQLite database."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crewai_runner.db import sqlite_space
from crewai_runner.db.migrate import upgrade
from crewai_runner.db.session import make_engine
from crewai_runner.db.sqlite_space import INCREMENTAL, read_pragma, release_free_pages


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_space, "PAUSE_SECONDS", 0.0)


def add_and_delete_rows(path: Path) -> None:
    """Leave about 2000 free pages of 4096 bytes in the file."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE big (content BLOB)")
        database.executemany("INSERT INTO big VALUES (zeroblob(4000))", [()] * 2000)
        database.commit()
        database.execute("DELETE FROM big")
        database.commit()


async def test_file_of_a_new_installation_shrinks_in_small_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, steps = tmp_path / "new.db", list[int]()
    upgrade(f"sqlite:///{path}")
    # As in the product, other connections stay open in WAL mode.
    engine = make_engine(f"sqlite:///{path}")
    step = sqlite_space._release_step

    def record(name: str) -> int:
        steps.append(step(name))
        return steps[-1]

    monkeypatch.setattr(sqlite_space, "_release_step", record)
    async with engine.connect():
        add_and_delete_rows(path)
        before = path.stat().st_size

        released = await release_free_pages(f"sqlite:///{path}")

        assert before - path.stat().st_size >= 2000 * 4000
    await engine.dispose()
    assert released == sum(steps) >= 2000
    assert max(steps) == sqlite_space.PAGES_PER_STEP
    with closing(sqlite3.connect(path)) as database:
        assert read_pragma(database, "auto_vacuum") == INCREMENTAL
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_file_of_an_older_installation_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE old (id INTEGER)")
    upgrade(f"sqlite:///{path}")
    add_and_delete_rows(path)

    assert await release_free_pages(f"sqlite:///{path}") == 0
