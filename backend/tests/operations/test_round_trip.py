"""What was backed up comes back: every row of every table, and the crews' memories."""

import stat
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import IntegrityError

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_key import read_keys, write_keys
from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import alembic_config, head_revision, sync_url, upgrade, upgrade_within
from crewai_runner.operations import postgres_copy, sqlite_store
from crewai_runner.operations.backup import back_up
from crewai_runner.operations.manifest import TableCopy
from crewai_runner.operations.restore import restore
from crewai_runner.queue.dbos import make_tables
from tests.operations.conftest import ON_POSTGRESQL, ON_SQLITE, empty_place, settings_of
from tests.operations.rows import AWKWARD, MADE_BY_MIGRATIONS, dump, empty_tables, fill, one
from tests.support.database import BACKENDS, empty_postgresql


def test_every_row_of_every_table_comes_back(full: Settings, there: Settings, tmp_path: Path) -> None:
    before = dump(full.database)
    assert empty_tables(full.database) == set()
    assert len(before) > 25

    written = back_up(full, tmp_path / "b.tar.gz")
    done = restore(there, tmp_path / "b.tar.gz")

    assert dump(there.database) == before == dump(full.database)
    assert AWKWARD in one(there.database, "SELECT text FROM messages WHERE id = '1'")
    copied = {
        f"{table.place}.{table.name}".lstrip("."): table.rows for table in written.manifest.database.tables
    }
    assert all(rows for name, rows in copied.items())
    assert {name.split(".")[-1] for name in copied} >= {
        name.split(".")[-1] for name in before
    } - MADE_BY_MIGRATIONS
    assert done.kept == []


def test_memories_come_back(full: Settings, there: Settings, tmp_path: Path) -> None:
    own = full.data_dir / "engine" / "own.db"
    with sqlite_store.closing(sqlite_store.sqlite3.connect(own)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE memories (text)")
        database.execute("INSERT INTO memories VALUES ('still in the journal')")
        database.commit()
        back_up(full, tmp_path / "b.tar.gz")

    restore(there, tmp_path / "b.tar.gz")

    [piece] = (there.data_dir / "engine").rglob("*.lance")
    assert piece.read_bytes() == bytes(range(256))
    with sqlite_store.opened(there.data_dir / "engine" / "own.db") as database:
        assert database.execute("SELECT text FROM memories").fetchall() == [("still in the journal",)]


def test_sealed_credentials_stay_sealed_and_keys_stay_out(
    full: Settings, there: Settings, tmp_path: Path
) -> None:
    [key] = read_keys(full.data_dir / "secret-key")
    (full.data_dir / "api-key").write_text("cr_canary-of-the-api-key")

    written = back_up(full, tmp_path / "b.tar.gz")

    content = _everything_in(tmp_path / "b.tar.gz")
    assert b"piece-1.lance" in content
    for canary in (key, "sk-canary", "cr_canary"):
        assert canary.encode() not in content
    assert sum(written.manifest.seals.by_key.values()) > 0
    done = restore(there, tmp_path / "b.tar.gz")
    assert done.locked_out == sum(written.manifest.seals.by_key.values())
    assert not (there.data_dir / "secret-key").exists()
    sealed = one(there.database, "SELECT sealed_api_key FROM providers WHERE id = '1'")
    assert SecretCipher(key).decrypt(sealed) == "sk-canary-of-row-1"


def test_keys_go_along_when_asked_for(full: Settings, there: Settings, tmp_path: Path) -> None:
    (full.data_dir / "api-key").write_text("cr_canary-of-the-api-key")

    written = back_up(full, tmp_path / "b.tar.gz", with_keys=True)
    done = restore(there, tmp_path / "b.tar.gz")

    assert written.keys == done.keys == ["secret-key", "api-key"]
    assert done.locked_out == 0
    for name in written.keys:
        path = there.data_dir / name
        assert path.read_bytes() == (full.data_dir / name).read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_key_here_is_warned_of_only_when_it_seals_something(
    full: Settings, there: Settings, tmp_path: Path
) -> None:
    [key] = read_keys(full.data_dir / "secret-key")
    back_up(full, tmp_path / "b.tar.gz")
    there.data_dir.mkdir()
    write_keys(there.data_dir / "secret-key", [key])

    assert restore(there, tmp_path / "b.tar.gz").locked_out == 0


def _everything_in(path: Path) -> bytes:
    with tarfile.open(path) as tar:
        return b"".join(member.name.encode() + content(tar, member.name) for member in tar.getmembers())


def content(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    assert stream is not None
    return stream.read()


@pytest.fixture(params=BACKENDS)
def url_of_previous(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the schema before the newest."""
    (tmp_path / "old").mkdir()
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old' / 'crewai-runner.db'}"
        return
    with empty_postgresql() as url:
        yield url


def test_a_backup_of_the_previous_schema_is_migrated_up(url_of_previous: str, tmp_path: Path) -> None:
    config = alembic_config(url_of_previous)
    previous = str(ScriptDirectory.from_config(config).get_revision("head").down_revision)
    engine = create_engine(sync_url(url_of_previous))
    with engine.begin() as connection:
        upgrade_within(connection, config, previous)
    engine.dispose()
    make_tables(url_of_previous)
    fill(url_of_previous)
    old = settings_of(tmp_path / "old", url_of_previous)

    written = back_up(old, tmp_path / "b.tar.gz")

    assert written.manifest.database.revision == previous
    with empty_place(old, tmp_path / "there") as there:
        restore(there, tmp_path / "b.tar.gz")
        found = dump(there.database)
        assert one(there.database, "SELECT version_num FROM alembic_version") == head_revision()
        upgrade(url_of_previous)
        assert found == dump(url_of_previous)


@pytest.mark.timeout(120)
def test_a_backup_is_of_one_moment_while_writers_write(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = Writers(here.database)
    with writers:
        if not here.is_embedded:
            _write_between_tables(monkeypatch, here.database)
        for number in range(3):
            writers.wait_for_more()
            back_up(here, tmp_path / f"{number}.tar.gz")
    assert writers.failures == []

    seen = set()
    for number in range(3):
        with empty_place(here, tmp_path / f"there-{number}") as there:
            restore(there, tmp_path / f"{number}.tar.gz")
            events = one(there.database, "SELECT count(*) FROM workflow_versions")
            assert one(there.database, "SELECT sum(newest_version) FROM workflows") == events > 0
            seen.add(events)
    assert len(seen) == 3
    assert writers.written >= max(seen)


class Writers:
    """Two threads; in each transaction a workflow's number grows and a version of that number is added."""

    def __init__(self, url: str) -> None:
        patience = {"timeout": 60} if url.startswith("sqlite") else {}
        self._engine = create_engine(sync_url(url), connect_args=patience)
        self._stop = threading.Event()
        self._more = threading.Condition()
        self.written, self.failures = 0, list[Exception]()
        self._threads = [threading.Thread(target=self._write, args=(f"w{n}",)) for n in range(2)]

    def __enter__(self) -> None:
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # as the server has it
        with self._engine.begin() as connection:
            connection.execute(text("INSERT INTO workspaces VALUES ('w', 'W', '2026-03-10')"))
            for name in ("w0", "w1"):
                add_workflow(connection, name)
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._engine.dispose()

    def wait_for_more(self) -> None:
        with self._more:
            before = self.written
            assert self._more.wait_for(lambda: self.written > before + 5, timeout=60)

    def _write(self, workflow: str) -> None:
        while not self._stop.is_set():
            try:
                with self._engine.begin() as connection:
                    add_version(connection, workflow)
            except Exception as error:
                self.failures.append(error)
                return
            with self._more:
                self.written += 1
                self._more.notify_all()


def add_workflow(connection: Any, name: str) -> None:
    connection.execute(
        text(
            "INSERT INTO workflows (id, workspace_id, name, newest_version, created_at, updated_at, version)"
            " VALUES (:name, 'w', :name, 0, '2026-03-10', '2026-03-10', 1)"
        ),
        {"name": name},
    )


def add_version(connection: Any, workflow: str) -> None:
    values = {"id": workflow, "yaml": "x" * 20_000}
    connection.execute(
        text("UPDATE workflows SET newest_version = newest_version + 1 WHERE id = :id"), values
    )
    connection.execute(
        text(
            "INSERT INTO workflow_versions (workflow_id, number, yaml, definition, created_by, created_at)"
            " SELECT id, newest_version, :yaml, '{}', 'me', '2026-03-10' FROM workflows WHERE id = :id"
        ),
        values,
    )


def _write_between_tables(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Make sure that somebody commits between the copies of any two tables."""
    original = postgres_copy._copy_out
    engine = create_engine(sync_url(url), poolclass=NullPool)

    def copy_out(*arguments: Any) -> TableCopy:
        with engine.begin() as connection:
            add_version(connection, "w0")
        return original(*arguments)

    monkeypatch.setattr(postgres_copy, "_copy_out", copy_out)


@ON_SQLITE
def test_an_sqlite_backup_stands_alone(full: Settings, tmp_path: Path) -> None:
    back_up(full, tmp_path / "b.tar.gz")

    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        names = [name for name in tar.getnames() if name.startswith("database/")]
        data = content(tar, names[0])
    assert names == ["database/crewai-runner.db"]
    assert data[18:20] == b"\x01\x01"  # no write-ahead log is awaited beside it


@ON_POSTGRESQL
def test_what_is_not_the_products_stays_out_of_it(full: Settings, there: Settings, tmp_path: Path) -> None:
    one(full.database, "CREATE TABLE somebody_elses (a int)")
    one(there.database, "CREATE TABLE somebody_elses (a int)")
    one(there.database, "INSERT INTO somebody_elses VALUES (42)")

    written = back_up(full, tmp_path / "b.tar.gz")
    restore(there, tmp_path / "b.tar.gz")

    assert "somebody_elses" not in {table.name for table in written.manifest.database.tables}
    assert one(there.database, "SELECT a FROM somebody_elses") == 42


@ON_POSTGRESQL
def test_no_table_counts_by_itself(here: Settings) -> None:
    """COPY carries rows; a sequence would need its state carried too."""
    query = "SELECT count(*) FROM information_schema.sequences WHERE sequence_schema IN ('public', 'dbos')"

    assert one(here.database, query) == 0


@ON_POSTGRESQL
def test_references_hold_after_a_restore(full: Settings, there: Settings, tmp_path: Path) -> None:
    back_up(full, tmp_path / "b.tar.gz")
    restore(there, tmp_path / "b.tar.gz")

    with pytest.raises(IntegrityError):
        one(there.database, "UPDATE run_tasks SET run_id = 'nobody' WHERE run_id = '1'")
    assert one(there.database, "DELETE FROM runs WHERE id = '1'") == 1
    assert one(there.database, "SELECT count(*) FROM run_tasks WHERE run_id = '1'") == 0
