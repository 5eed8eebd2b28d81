"""A restored backup contains every row of every table and the crew memories."""

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
from crewai_runner.operations import postgres_copy, sqlite_database
from crewai_runner.operations.backup import back_up
from crewai_runner.operations.manifest import TableCopy
from crewai_runner.operations.restore import restore
from crewai_runner.queue.dbos import make_tables
from tests.operations.conftest import ON_POSTGRESQL, ON_SQLITE, empty_installation, make_settings
from tests.operations.rows import AWKWARD, MIGRATION_TABLES, dump, empty_tables, fill, run_sql
from tests.support.database import BACKENDS, empty_postgresql


@pytest.mark.each_database
def test_restores_every_row_of_every_table(populated: Settings, target: Settings, tmp_path: Path) -> None:
    before = dump(populated.database)
    assert empty_tables(populated.database) == set()
    assert len(before) > 25

    finished = back_up(populated, tmp_path / "b.tar.gz")
    restored = restore(target, tmp_path / "b.tar.gz")

    assert dump(target.database) == before == dump(populated.database)
    assert AWKWARD in run_sql(target.database, "SELECT text FROM messages WHERE id = '1'")
    copied = {
        f"{table.place}.{table.name}".lstrip("."): table.rows for table in finished.manifest.database.tables
    }
    assert all(rows for name, rows in copied.items())
    assert {name.split(".")[-1] for name in copied} >= {
        name.split(".")[-1] for name in before
    } - MIGRATION_TABLES
    assert restored.kept == []


def test_restores_memories(populated: Settings, target: Settings, tmp_path: Path) -> None:
    own = populated.data_dir / "engine" / "own.db"
    with sqlite_database.closing(sqlite_database.sqlite3.connect(own)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE memories (text)")
        database.execute("INSERT INTO memories VALUES ('still in the journal')")
        database.commit()
        back_up(populated, tmp_path / "b.tar.gz")

    restore(target, tmp_path / "b.tar.gz")

    [piece] = (target.data_dir / "engine").rglob("*.lance")
    assert piece.read_bytes() == bytes(range(256))
    with sqlite_database.open_existing(target.data_dir / "engine" / "own.db") as database:
        assert database.execute("SELECT text FROM memories").fetchall() == [("still in the journal",)]


@pytest.mark.each_database
def test_credentials_stay_encrypted_and_keys_are_excluded(
    populated: Settings, target: Settings, tmp_path: Path
) -> None:
    [key] = read_keys(populated.data_dir / "secret-key")
    (populated.data_dir / "api-key").write_text("cr_canary-of-the-api-key")

    finished = back_up(populated, tmp_path / "b.tar.gz")

    content = _read_all_members(tmp_path / "b.tar.gz")
    assert b"piece-1.lance" in content
    for canary in (key, "sk-canary", "cr_canary"):
        assert canary.encode() not in content
    assert sum(finished.manifest.seals.by_key.values()) > 0
    restored = restore(target, tmp_path / "b.tar.gz")
    assert restored.undecryptable == sum(finished.manifest.seals.by_key.values())
    assert not (target.data_dir / "secret-key").exists()
    sealed = run_sql(target.database, "SELECT sealed_api_key FROM providers WHERE id = '1'")
    assert SecretCipher(key).decrypt(sealed) == "sk-canary-of-row-1"


def test_with_keys_includes_the_key_files(populated: Settings, target: Settings, tmp_path: Path) -> None:
    (populated.data_dir / "api-key").write_text("cr_canary-of-the-api-key")

    finished = back_up(populated, tmp_path / "b.tar.gz", with_keys=True)
    restored = restore(target, tmp_path / "b.tar.gz")

    assert finished.keys == restored.keys == ["secret-key", "api-key"]
    assert restored.undecryptable == 0
    for name in finished.keys:
        path = target.data_dir / name
        assert path.read_bytes() == (populated.data_dir / name).read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_warning_when_the_key_is_present(populated: Settings, target: Settings, tmp_path: Path) -> None:
    [key] = read_keys(populated.data_dir / "secret-key")
    back_up(populated, tmp_path / "b.tar.gz")
    target.data_dir.mkdir()
    write_keys(target.data_dir / "secret-key", [key])

    assert restore(target, tmp_path / "b.tar.gz").undecryptable == 0


def _read_all_members(path: Path) -> bytes:
    with tarfile.open(path) as tar:
        return b"".join(member.name.encode() + content(tar, member.name) for member in tar.getmembers())


def content(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    assert stream is not None
    return stream.read()


@pytest.fixture(params=BACKENDS)
def previous_schema_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database for the schema before the newest."""
    (tmp_path / "old").mkdir()
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old' / 'crewai-runner.db'}"
        return
    with empty_postgresql() as url:
        yield url


def test_previous_schema_is_migrated(previous_schema_url: str, tmp_path: Path) -> None:
    config = alembic_config(previous_schema_url)
    previous = str(ScriptDirectory.from_config(config).get_revision("head").down_revision)
    engine = create_engine(sync_url(previous_schema_url))
    with engine.begin() as connection:
        upgrade_within(connection, config, previous)
    engine.dispose()
    make_tables(previous_schema_url)
    fill(previous_schema_url)
    old = make_settings(tmp_path / "old", previous_schema_url)

    finished = back_up(old, tmp_path / "b.tar.gz")

    assert finished.manifest.database.revision == previous
    with empty_installation(old, tmp_path / "there") as target:
        restore(target, tmp_path / "b.tar.gz")
        found = dump(target.database)
        assert run_sql(target.database, "SELECT version_num FROM alembic_version") == head_revision()
        upgrade(previous_schema_url)
        assert found == dump(previous_schema_url)


@pytest.mark.timeout(120)
@pytest.mark.each_database
def test_backup_is_a_consistent_snapshot_under_writes(
    empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = Writers(empty.database)
    with writers:
        if not empty.is_embedded:
            _write_between_tables(monkeypatch, empty.database)
        for number in range(2):
            writers.wait_for_writes()
            back_up(empty, tmp_path / f"{number}.tar.gz")
    assert writers.failures == []

    seen = set()
    for number in range(2):
        with empty_installation(empty, tmp_path / f"there-{number}") as target:
            restore(target, tmp_path / f"{number}.tar.gz")
            events = run_sql(target.database, "SELECT count(*) FROM workflow_versions")
            assert run_sql(target.database, "SELECT sum(newest_version) FROM workflows") == events > 0
            seen.add(events)
    assert len(seen) == 2
    assert writers.written >= max(seen)


class Writers:
    """Two threads; each transaction increments a workflow's newest version and inserts that version."""

    def __init__(self, url: str) -> None:
        connect_args = {"timeout": 60} if url.startswith("sqlite") else {}
        self._engine = create_engine(sync_url(url), connect_args=connect_args)
        self._stop = threading.Event()
        self._more = threading.Condition()
        self.written, self.failures = 0, list[Exception]()
        self._threads = [threading.Thread(target=self._write, args=(f"w{n}",)) for n in range(2)]

    def __enter__(self) -> None:
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # as the server has it
        with self._engine.begin() as connection:
            connection.execute(text("INSERT INTO workspaces VALUES ('w', 'W', '2026-03-10', false)"))
            for name in ("w0", "w1"):
                add_workflow(connection, name)
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._engine.dispose()

    def wait_for_writes(self) -> None:
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
            "INSERT INTO workflows"
            " (id, workspace_id, name, slug, newest_version, created_at, updated_at, version)"
            " VALUES (:name, 'w', :name, :name, 0, '2026-03-10', '2026-03-10', 1)"
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
    """Commit a write between the copies of any two tables."""
    original = postgres_copy._copy_out
    engine = create_engine(sync_url(url), poolclass=NullPool)

    def copy_out(*arguments: Any) -> TableCopy:
        with engine.begin() as connection:
            add_version(connection, "w0")
        return original(*arguments)

    monkeypatch.setattr(postgres_copy, "_copy_out", copy_out)


@ON_SQLITE
def test_sqlite_backup_needs_no_journal(populated: Settings, tmp_path: Path) -> None:
    back_up(populated, tmp_path / "b.tar.gz")

    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        names = [name for name in tar.getnames() if name.startswith("database/")]
        data = content(tar, names[0])
    assert names == ["database/crewai-runner.db"]
    assert data[18:20] == b"\x01\x01"  # not in write-ahead log mode


@ON_POSTGRESQL
def test_foreign_tables_are_left_alone(populated: Settings, target: Settings, tmp_path: Path) -> None:
    run_sql(populated.database, "CREATE TABLE foreign_table (a int)")
    run_sql(target.database, "CREATE TABLE foreign_table (a int)")
    run_sql(target.database, "INSERT INTO foreign_table VALUES (42)")

    finished = back_up(populated, tmp_path / "b.tar.gz")
    restore(target, tmp_path / "b.tar.gz")

    assert "foreign_table" not in {table.name for table in finished.manifest.database.tables}
    assert run_sql(target.database, "SELECT a FROM foreign_table") == 42


@ON_POSTGRESQL
def test_no_table_uses_a_sequence(empty: Settings) -> None:
    """COPY copies rows only; the state of a sequence would be lost."""
    query = "SELECT count(*) FROM information_schema.sequences WHERE sequence_schema IN ('public', 'dbos')"

    assert run_sql(empty.database, query) == 0


@ON_POSTGRESQL
def test_foreign_keys_work_after_a_restore(populated: Settings, target: Settings, tmp_path: Path) -> None:
    back_up(populated, tmp_path / "b.tar.gz")
    restore(target, tmp_path / "b.tar.gz")

    with pytest.raises(IntegrityError):
        run_sql(target.database, "UPDATE run_tasks SET run_id = 'unknown' WHERE run_id = '1'")
    assert run_sql(target.database, "DELETE FROM runs WHERE id = '1'") == 1
    assert run_sql(target.database, "SELECT count(*) FROM run_tasks WHERE run_id = '1'") == 0
