"""Backups and restores that are rejected, and that they change nothing."""

import fcntl
import gzip
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crewai_runner.core.settings import Settings
from crewai_runner.db.migrate import upgrade
from crewai_runner.operations import atomic_write, postgres_restore, sqlite_restore
from crewai_runner.operations.backup import back_up
from crewai_runner.operations.errors import OperationError
from crewai_runner.operations.restore import restore
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.dbos import make_tables
from tests.operations.conftest import ON_POSTGRESQL, ON_SQLITE, empty_installation, make_settings
from tests.operations.rows import dump, run_sql

Tamper = Callable[[dict[str, Any], dict[str, bytes]], None]


@pytest.fixture
def backup(populated: Settings, tmp_path: Path) -> Path:
    back_up(populated, tmp_path / "b.tar.gz")
    return tmp_path / "b.tar.gz"


def tamper(backup: Path, change: Tamper, *, append: tarfile.TarInfo | None = None) -> Path:
    """A copy of the backup after `change` has modified its manifest and members."""
    with tarfile.open(backup) as tar:
        members = {m.name: (tar.extractfile(m) or io.BytesIO()).read() for m in tar.getmembers()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    path = backup.with_name("forged.tar.gz")
    with tarfile.open(path, "w:gz") as tar:
        for name, data in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        if append is not None:
            tar.addfile(append)
    return path


def assert_rejected(settings: Settings, path: Path, message: str, **options: bool) -> None:
    before = sorted(settings.data_dir.rglob("*")) if settings.data_dir.exists() else []
    with pytest.raises(OperationError, match=message):
        restore(settings, path, **options)
    left = sorted(settings.data_dir.rglob("*"))
    ignored = (".crewai-runner.lock", "crewai-runner.db-shm")  # created by reading
    assert [path for path in left if path not in before and path.name not in ignored] == []


class TestBackup:
    def test_existing_file_needs_force(self, populated: Settings, backup: Path) -> None:
        before = backup.read_bytes()

        with pytest.raises(OperationError, match="already exists; use --force"):
            back_up(populated, backup)

        assert backup.read_bytes() == before
        back_up(populated, backup, force=True)
        assert backup.read_bytes() != before
        assert list(backup.parent.glob("*.partial*")) == []

    def test_file_is_private(self, populated: Settings, tmp_path: Path) -> None:
        leftover = tmp_path / "b.tar.gz.partial"
        leftover.touch(mode=0o644)

        back_up(populated, tmp_path / "b.tar.gz")

        assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600

    @pytest.mark.parametrize(
        ("name", "message"), [("no/b", "folder .* does not exist"), ("here", "is a folder")]
    )
    @ON_SQLITE
    def test_invalid_target(self, populated: Settings, tmp_path: Path, name: str, message: str) -> None:
        with pytest.raises(OperationError, match=message):
            back_up(populated, tmp_path / name)

    @ON_SQLITE
    def test_concurrent_backups_to_one_file(self, populated: Settings, tmp_path: Path) -> None:
        with (tmp_path / "b.tar.gz.partial").open("wb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)

            with pytest.raises(OperationError, match="Another process is writing"):
                back_up(populated, tmp_path / "b.tar.gz")

        assert not (tmp_path / "b.tar.gz").exists()

    @ON_SQLITE
    def test_failure_leaves_no_file(
        self, populated: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full_disk(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(atomic_write.os, "fsync", full_disk)

        with pytest.raises(OSError, match="No space left"):
            back_up(populated, tmp_path / "b.tar.gz")

        assert list(tmp_path.glob("b.tar.gz*")) == []

    def test_missing_database(self, empty: Settings, tmp_path: Path) -> None:
        with (
            empty_installation(empty, tmp_path / "nothing") as nothing,
            pytest.raises(OperationError, match="database"),
        ):
            back_up(nothing, tmp_path / "b.tar.gz")

        assert not (tmp_path / "nothing").exists()

    @ON_POSTGRESQL
    def test_newer_schema(self, populated: Settings, tmp_path: Path) -> None:
        run_sql(populated.database, "UPDATE alembic_version SET version_num = '9999'")

        with pytest.raises(OperationError, match="newer version"):
            back_up(populated, tmp_path / "b.tar.gz")

    @ON_SQLITE
    def test_damaged_database(self, populated: Settings, tmp_path: Path) -> None:
        damage(populated.data_dir / "crewai-runner.db")

        with pytest.raises((OperationError, sqlite3.DatabaseError), match=r"damaged|malformed"):
            back_up(populated, tmp_path / "b.tar.gz")

        assert not (tmp_path / "b.tar.gz").exists()


def damage(path: Path) -> None:
    """Overwrite the middle of the file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 2] = b"\xff" * (len(data) // 2 - len(data) // 4)
    path.write_bytes(data)


def later_format(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["format_version"] = 2


def other_format(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["format"] = "another-product"


def newer_schema(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["database"]["revision"] = "9999"


def newer_queue(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["database"]["queue_version"] = 100_000


def changed_member(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    name = next(iter(members))
    members[name] = members[name][:-1] + b"x"


def longer_member(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members[next(iter(members))] += b"x"


def missing_member(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members.popitem()


def unlisted_member(_manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["engine/more"] = b"x"


def renamed(name: str) -> Tamper:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        [old] = [m for m in manifest["members"] if m["name"].startswith("engine/")]
        members[name] = members.pop(old["name"])
        old["name"] = name

    return change


def no_members(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["members"] = []


TAMPERED = [
    (later_format, "format 2"),
    (other_format, "not a backup of CrewAI Runner"),
    (newer_schema, "newer than this version's"),
    (changed_member, "was modified"),
    (longer_member, "does not have the size"),
    (missing_member, "lacks"),
    (unlisted_member, "does not list"),
    (no_members, "manifest cannot be read"),
    *[
        (renamed(name), "forbidden name")
        for name in ("engine/../../../evil", "/etc/evil", "evil", "..", "other/evil", "engine\\..\\evil")
    ],
]


class TestRestore:
    @pytest.mark.parametrize(("change", "message"), TAMPERED)
    @ON_SQLITE
    def test_tampered_backup(self, backup: Path, target: Settings, change: Tamper, message: str) -> None:
        assert_rejected(target, tamper(backup, change), message)

        assert not any("evil" in path.name for path in backup.parent.rglob("*"))

    @pytest.mark.each_database
    def test_newer_queue(self, backup: Path, target: Settings) -> None:
        message = "does not match its manifest" if target.is_embedded else "queue has schema 100000"
        assert_rejected(target, tamper(backup, newer_queue), message)

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
    @ON_SQLITE
    def test_member_that_is_not_a_regular_file(self, backup: Path, target: Settings, kind: bytes) -> None:
        link = tarfile.TarInfo("engine/link")
        link.type, link.linkname = kind, "/etc/passwd"

        def add_to_manifest(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            manifest["members"].append({"name": "engine/link", "size": 0, "sha256": "0" * 64})

        assert_rejected(target, tamper(backup, add_to_manifest, append=link), "not a regular file")

    @pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
    @ON_SQLITE
    def test_truncated_backup(self, backup: Path, target: Settings, part: float) -> None:
        data = backup.read_bytes()
        backup.write_bytes(data[: int(len(data) * part)])

        assert_rejected(target, backup, "damaged, truncated|does not start|lacks")

    @ON_SQLITE
    def test_wrong_gzip_checksum(self, backup: Path, target: Settings) -> None:
        data = bytearray(backup.read_bytes())
        data[-8] ^= 0xFF  # of the compressed stream, behind every member
        backup.write_bytes(data)

        assert_rejected(target, backup, "damaged, truncated")

    @ON_SQLITE
    def test_unrelated_file(self, target: Settings, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(gzip.compress(b"x" * 10_000))

        assert_rejected(target, tmp_path / "x", "damaged, truncated or not a backup")
        assert_rejected(target, tmp_path / "nothing", "does not exist")

    def test_other_kind_of_database(self, backup: Path, populated: Settings, tmp_path: Path) -> None:
        other = "postgresql://user@127.0.0.1:1/nothing" if populated.is_embedded else ""

        assert_rejected(make_settings(tmp_path / "other", other), backup, "same kind of database")

    @ON_SQLITE
    def test_data_folder_in_use(self, backup: Path, target: Settings) -> None:
        lock = DataDirLock(target.data_dir)
        lock.acquire()

        assert_rejected(target, backup, f"another process already uses {target.data_dir}", force=True)

        lock.release()

    @pytest.mark.each_database
    def test_existing_data_needs_force(self, backup: Path, populated: Settings) -> None:
        before = dump(populated.database)
        run_sql(populated.database, "UPDATE workspaces SET name = 'changed since'")

        assert_rejected(populated, backup, "not empty; use --force")
        assert dump(populated.database) != before

        done = restore(populated, backup, force=True)
        assert dump(populated.database) == before
        assert len(done.kept) == 2

    @pytest.mark.each_database
    def test_previous_data_is_kept(self, backup: Path, populated: Settings, tmp_path: Path) -> None:
        run_sql(populated.database, "UPDATE workspaces SET name = 'changed since'")
        changed = dump(populated.database)

        kept = restore(populated, backup, force=True).kept

        assert any((path / "memories").is_dir() for path in kept)
        assert dump(populated.database) != changed
        if populated.is_embedded:
            assert dump(f"sqlite:///{kept[0]}") == changed
            return
        with empty_installation(populated, tmp_path / "again") as again:
            restore(again, kept[0])
            assert dump(again.database) == changed

    def test_existing_memories_and_keys_need_force(self, populated: Settings, tmp_path: Path) -> None:
        back_up(populated, tmp_path / "b.tar.gz", with_keys=True)
        for name in ("engine/x", "secret-key"):
            with empty_installation(populated, tmp_path / f"place-{name[0]}") as installation:
                (installation.data_dir / name).parent.mkdir(parents=True)
                (installation.data_dir / name).write_text("other")
                assert_rejected(installation, tmp_path / "b.tar.gz", "already exists; use --force")

    @pytest.mark.each_database
    def test_freshly_migrated_database_counts_as_empty(
        self, backup: Path, populated: Settings, empty: Settings, tmp_path: Path
    ) -> None:
        with empty_installation(populated, tmp_path / "place") as installation:
            installation.data_dir.mkdir()
            upgrade(installation.database)
            restore(installation, backup)
            assert dump(installation.database) == dump(populated.database)


@pytest.fixture
def with_lease(target: Settings) -> Settings:
    make_tables(target.database)
    run_sql(target.database, "INSERT INTO dbos.worker_lease (executor_id) VALUES ('alive')")
    return target


@ON_POSTGRESQL
class TestPostgresql:
    def test_live_worker(self, backup: Path, with_lease: Settings) -> None:
        assert_rejected(with_lease, backup, "1 worker.* running", force=True)

    def test_expired_lease_is_ignored(self, backup: Path, with_lease: Settings) -> None:
        run_sql(with_lease.database, "UPDATE dbos.worker_lease SET last_seen = now() - interval '1 hour'")

        restore(with_lease, backup)

        assert run_sql(with_lease.database, "SELECT count(*) FROM dbos.worker_lease") == 0

    def test_leases_are_not_restored(self, populated: Settings, target: Settings, tmp_path: Path) -> None:
        run_sql(populated.database, "INSERT INTO dbos.worker_lease (executor_id) VALUES ('alive')")
        back_up(populated, tmp_path / "b.tar.gz")

        restore(target, tmp_path / "b.tar.gz")

        assert run_sql(target.database, "SELECT count(*) FROM dbos.worker_lease") == 0

    def test_other_connection_needs_force(self, backup: Path, target: Settings) -> None:
        with postgres_restore.connect(target.database) as other:
            other.exec_driver_sql("SELECT 1")
            assert_rejected(target, backup, "1 other connection")
            other.rollback()
            restore(target, backup, force=True)

    def test_interrupted_restore_changes_nothing(
        self, backup: Path, populated: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_sql(populated.database, "UPDATE workspaces SET name = 'changed since'")
        changed, original = dump(populated.database), postgres_restore._copy_in

        def fail_at_runs(connection: Any, copy: Any, folder: Path) -> None:
            if copy.name == "runs":
                raise KeyboardInterrupt
            original(connection, copy, folder)

        monkeypatch.setattr(postgres_restore, "_copy_in", fail_at_runs)
        with pytest.raises(KeyboardInterrupt):
            restore(populated, backup, force=True)

        assert dump(populated.database) == changed
        assert (populated.data_dir / "engine" / "memories").is_dir()

    def test_unknown_column(self, backup: Path, target: Settings) -> None:
        def unknown_column(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            [table] = [t for t in manifest["database"]["tables"] if t["name"] == "messages"]
            table["columns"][0] = "id); DROP TABLE runs; --"

        assert_rejected(target, tamper(backup, unknown_column), "messages does not match schema")

    def test_row_count_mismatch(self, backup: Path, target: Settings) -> None:
        def one_more(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            manifest["database"]["tables"][3]["rows"] += 1

        assert_rejected(target, tamper(backup, one_more), "its manifest lists")


def database_and_journal_after_kill(path: Path) -> tuple[bytes, bytes]:
    """Contents of the database file and its journal when a server is killed after a commit."""
    with closing(sqlite3.connect(path)) as killed:
        killed.execute("PRAGMA journal_mode=WAL")
        killed.execute("UPDATE workspaces SET name = 'changed since'")
        killed.commit()
        return path.read_bytes(), Path(f"{path}-wal").read_bytes()


@ON_SQLITE
class TestSqlite:
    def test_killed_swap_leaves_the_old_database(
        self, backup: Path, populated: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = dump(populated.database)
        run_sql(populated.database, "PRAGMA journal_mode=WAL")

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(sqlite_restore.Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            restore(populated, backup, force=True)

        assert dump(populated.database) == before

    def test_damaged_database_can_be_replaced(
        self, backup: Path, populated: Settings, target: Settings
    ) -> None:
        before = dump(populated.database)
        path = populated.data_dir / "crewai-runner.db"
        _, journal = database_and_journal_after_kill(path)
        path.write_bytes(b"garbage" * 1000)
        Path(f"{path}-wal").write_bytes(journal)

        assert_rejected(populated, backup, "not empty; use --force")
        restore(populated, backup, force=True)

        assert dump(populated.database) == before
        assert not Path(f"{path}-wal").exists()

    def test_leftover_journal_is_not_replayed(self, backup: Path, populated: Settings) -> None:
        before = dump(populated.database)
        path = populated.data_dir / "crewai-runner.db"
        data, journal = database_and_journal_after_kill(path)
        path.write_bytes(data)
        Path(f"{path}-wal").write_bytes(journal)

        kept = restore(populated, backup, force=True).kept

        assert dump(populated.database) == before
        assert (
            run_sql(f"sqlite:///{kept[0]}", "SELECT count(*) FROM workspaces WHERE name = 'changed since'")
            == 3
        )

    def test_database_does_not_match_manifest(self, backup: Path, target: Settings) -> None:
        def fewer(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            manifest["database"]["tables"][3]["rows"] -= 1

        assert_rejected(target, tamper(backup, fewer), "does not match its manifest")
