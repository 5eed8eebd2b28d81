"""When a backup is not written and when it is not restored; and that nothing has changed then."""

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
from crewai_runner.operations import aside, postgres_load, sqlite_place
from crewai_runner.operations.backup import back_up
from crewai_runner.operations.refusal import Refused
from crewai_runner.operations.restore import restore
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.queue.dbos import make_tables
from tests.operations.conftest import ON_POSTGRESQL, ON_SQLITE, empty_place, settings_of
from tests.operations.rows import dump, one

Forge = Callable[[dict[str, Any], dict[str, bytes]], None]


@pytest.fixture
def backup(full: Settings, tmp_path: Path) -> Path:
    back_up(full, tmp_path / "b.tar.gz")
    return tmp_path / "b.tar.gz"


def forged(backup: Path, change: Forge, *, append: tarfile.TarInfo | None = None) -> Path:
    """The backup again after `change` had its way with manifest and members."""
    with tarfile.open(backup) as tar:
        members = {m.name: (tar.extractfile(m) or io.BytesIO()).read() for m in tar.getmembers()}
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest, members)
    path = backup.with_name("forged.tar.gz")
    with tarfile.open(path, "w:gz") as tar:
        for name, data in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            head = tarfile.TarInfo(name)
            head.size = len(data)
            tar.addfile(head, io.BytesIO(data))
        if append is not None:
            tar.addfile(append)
    return path


def refuses(settings: Settings, path: Path, words: str, **options: bool) -> None:
    before = sorted(settings.data_dir.rglob("*")) if settings.data_dir.exists() else []
    with pytest.raises(Refused, match=words):
        restore(settings, path, **options)
    left = sorted(settings.data_dir.rglob("*"))
    ignored = (".crewai-runner.lock", "crewai-runner.db-shm")  # made by looking
    assert [path for path in left if path not in before and path.name not in ignored] == []


class TestBackup:
    def test_a_file_is_replaced_only_when_forced(self, full: Settings, backup: Path) -> None:
        before = backup.read_bytes()

        with pytest.raises(Refused, match="exists already; --force"):
            back_up(full, backup)

        assert backup.read_bytes() == before
        back_up(full, backup, force=True)
        assert backup.read_bytes() != before
        assert list(backup.parent.glob("*.partial*")) == []

    def test_it_is_its_owners_only(self, full: Settings, tmp_path: Path) -> None:
        left = tmp_path / "b.tar.gz.partial"
        left.touch(mode=0o644)

        back_up(full, tmp_path / "b.tar.gz")

        assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600

    @pytest.mark.parametrize(("name", "words"), [("no/b", "There is no folder"), ("here", "is a folder")])
    @ON_SQLITE
    def test_a_place_that_cannot_be(self, full: Settings, tmp_path: Path, name: str, words: str) -> None:
        with pytest.raises(Refused, match=words):
            back_up(full, tmp_path / name)

    @ON_SQLITE
    def test_two_at_once_on_one_file(self, full: Settings, tmp_path: Path) -> None:
        with (tmp_path / "b.tar.gz.partial").open("wb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)

            with pytest.raises(Refused, match="Another process is writing"):
                back_up(full, tmp_path / "b.tar.gz")

        assert not (tmp_path / "b.tar.gz").exists()

    @ON_SQLITE
    def test_one_that_fails_leaves_nothing_behind(
        self, full: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full_disk(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(aside.os, "fsync", full_disk)

        with pytest.raises(OSError, match="No space left"):
            back_up(full, tmp_path / "b.tar.gz")

        assert list(tmp_path.glob("b.tar.gz*")) == []

    def test_without_a_database(self, here: Settings, tmp_path: Path) -> None:
        with empty_place(here, tmp_path / "nothing") as nothing, pytest.raises(Refused, match="database"):
            back_up(nothing, tmp_path / "b.tar.gz")

        assert not (tmp_path / "nothing").exists()

    @ON_POSTGRESQL
    def test_of_a_newer_schema(self, full: Settings, tmp_path: Path) -> None:
        one(full.database, "UPDATE alembic_version SET version_num = '9999'")

        with pytest.raises(Refused, match="newer build"):
            back_up(full, tmp_path / "b.tar.gz")

    @ON_SQLITE
    def test_of_a_damaged_database(self, full: Settings, tmp_path: Path) -> None:
        damage(full.data_dir / "crewai-runner.db")

        with pytest.raises((Refused, sqlite3.DatabaseError), match=r"damaged|malformed"):
            back_up(full, tmp_path / "b.tar.gz")

        assert not (tmp_path / "b.tar.gz").exists()


def damage(path: Path) -> None:
    """Overwrite the middle of the file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 2] = b"\xff" * (len(data) // 2 - len(data) // 4)
    path.write_bytes(data)


def later_format(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["format_version"] = 2


def other_format(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["format"] = "somebody-elses"


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


def renamed(name: str) -> Forge:
    def change(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        [old] = [m for m in manifest["members"] if m["name"].startswith("engine/")]
        members[name] = members.pop(old["name"])
        old["name"] = name

    return change


def rows_from_elsewhere(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
    manifest["members"] = []


FORGERIES = [
    (later_format, "format 2"),
    (other_format, "no backup of CrewAI Runner"),
    (newer_schema, "newer than this build's"),
    (changed_member, "was changed"),
    (longer_member, "another size"),
    (missing_member, "lacks"),
    (unlisted_member, "does not list"),
    (rows_from_elsewhere, "manifest cannot be read"),
    *[
        (renamed(name), "not allowed")
        for name in ("engine/../../../evil", "/etc/evil", "evil", "..", "other/evil", "engine\\..\\evil")
    ],
]


class TestRestore:
    @pytest.mark.parametrize(("change", "words"), FORGERIES)
    @ON_SQLITE
    def test_a_file_that_is_not_what_was_written(
        self, backup: Path, there: Settings, change: Forge, words: str
    ) -> None:
        refuses(there, forged(backup, change), words)

        assert not any("evil" in path.name for path in backup.parent.rglob("*"))

    def test_a_newer_queue(self, backup: Path, there: Settings) -> None:
        words = "not the one its manifest" if there.is_embedded else "queue has schema 100000"
        refuses(there, forged(backup, newer_queue), words)

    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
    @ON_SQLITE
    def test_what_is_no_plain_file(self, backup: Path, there: Settings, kind: bytes) -> None:
        link = tarfile.TarInfo("engine/link")
        link.type, link.linkname = kind, "/etc/passwd"

        def list_it(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            manifest["members"].append({"name": "engine/link", "size": 0, "sha256": "0" * 64})

        refuses(there, forged(backup, list_it, append=link), "no plain file")

    @pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
    @ON_SQLITE
    def test_a_file_that_was_cut_short(self, backup: Path, there: Settings, part: float) -> None:
        data = backup.read_bytes()
        backup.write_bytes(data[: int(len(data) * part)])

        refuses(there, backup, "damaged, cut short|does not begin|lacks")

    @ON_SQLITE
    def test_a_file_whose_last_sum_is_wrong(self, backup: Path, there: Settings) -> None:
        data = bytearray(backup.read_bytes())
        data[-8] ^= 0xFF  # of the compressed stream, behind every member
        backup.write_bytes(data)

        refuses(there, backup, "damaged, cut short")

    @ON_SQLITE
    def test_a_file_of_something_else(self, there: Settings, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(gzip.compress(b"x" * 10_000))

        refuses(there, tmp_path / "x", "damaged, cut short or no backup")
        refuses(there, tmp_path / "nothing", "There is no file")

    def test_the_other_kind_of_database(self, backup: Path, full: Settings, tmp_path: Path) -> None:
        other = "postgresql://nobody@127.0.0.1:1/nothing" if full.is_embedded else ""

        refuses(settings_of(tmp_path / "other", other), backup, "goes back into the kind")

    @ON_SQLITE
    def test_a_folder_in_use(self, backup: Path, there: Settings) -> None:
        lock = DataDirLock(there.data_dir)
        lock.acquire()

        refuses(there, backup, f"another process already uses {there.data_dir}", force=True)

        lock.release()

    def test_a_place_that_is_not_empty(self, backup: Path, full: Settings) -> None:
        before = dump(full.database)
        one(full.database, "UPDATE workspaces SET name = 'changed since'")

        refuses(full, backup, "not empty; --force")
        assert dump(full.database) != before

        done = restore(full, backup, force=True)
        assert dump(full.database) == before
        assert len(done.kept) == 2

    def test_what_was_there_is_kept(self, backup: Path, full: Settings, tmp_path: Path) -> None:
        one(full.database, "UPDATE workspaces SET name = 'changed since'")
        changed = dump(full.database)

        kept = restore(full, backup, force=True).kept

        assert any((path / "memories").is_dir() for path in kept)
        assert dump(full.database) != changed
        if full.is_embedded:
            assert dump(f"sqlite:///{kept[0]}") == changed
            return
        with empty_place(full, tmp_path / "again") as again:
            restore(again, kept[0])
            assert dump(again.database) == changed

    def test_memories_and_keys_count_as_something(self, full: Settings, tmp_path: Path) -> None:
        back_up(full, tmp_path / "b.tar.gz", with_keys=True)
        for name in ("engine/x", "secret-key"):
            with empty_place(full, tmp_path / f"place-{name[0]}") as place:
                (place.data_dir / name).parent.mkdir(parents=True)
                (place.data_dir / name).write_text("other")
                refuses(place, tmp_path / "b.tar.gz", "is there already; --force")

    def test_what_only_migrations_have_made_counts_as_empty(
        self, backup: Path, full: Settings, here: Settings, tmp_path: Path
    ) -> None:
        with empty_place(full, tmp_path / "place") as place:
            place.data_dir.mkdir()
            upgrade(place.database)
            restore(place, backup)
            assert dump(place.database) == dump(full.database)


@pytest.fixture
def with_lease(there: Settings) -> Settings:
    make_tables(there.database)
    one(there.database, "INSERT INTO dbos.worker_lease (executor_id) VALUES ('alive')")
    return there


@ON_POSTGRESQL
class TestPostgresql:
    def test_a_worker_that_lives(self, backup: Path, with_lease: Settings) -> None:
        refuses(with_lease, backup, "1 worker.* at work", force=True)

    def test_a_worker_that_died_is_in_nobodys_way(self, backup: Path, with_lease: Settings) -> None:
        one(with_lease.database, "UPDATE dbos.worker_lease SET last_seen = now() - interval '1 hour'")

        restore(with_lease, backup)

        assert one(with_lease.database, "SELECT count(*) FROM dbos.worker_lease") == 0

    def test_leases_do_not_come_along(self, full: Settings, there: Settings, tmp_path: Path) -> None:
        one(full.database, "INSERT INTO dbos.worker_lease (executor_id) VALUES ('alive')")
        back_up(full, tmp_path / "b.tar.gz")

        restore(there, tmp_path / "b.tar.gz")

        assert one(there.database, "SELECT count(*) FROM dbos.worker_lease") == 0

    def test_somebody_who_is_connected(self, backup: Path, there: Settings) -> None:
        with postgres_load.connected(there.database) as other:
            other.exec_driver_sql("SELECT 1")
            refuses(there, backup, "1 other connection")
            other.rollback()
            restore(there, backup, force=True)

    def test_all_or_nothing(self, backup: Path, full: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        one(full.database, "UPDATE workspaces SET name = 'changed since'")
        changed, original = dump(full.database), postgres_load._copy_in

        def breaks_off(connection: Any, copy: Any, folder: Path) -> None:
            if copy.name == "runs":
                raise KeyboardInterrupt
            original(connection, copy, folder)

        monkeypatch.setattr(postgres_load, "_copy_in", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            restore(full, backup, force=True)

        assert dump(full.database) == changed
        assert (full.data_dir / "engine" / "memories").is_dir()

    def test_rows_that_do_not_fit(self, backup: Path, there: Settings) -> None:
        def unknown_column(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            [table] = [t for t in manifest["database"]["tables"] if t["name"] == "messages"]
            table["columns"][0] = "id); DROP TABLE runs; --"

        refuses(there, forged(backup, unknown_column), "messages does not fit schema")

    def test_a_row_too_few(self, backup: Path, there: Settings) -> None:
        def one_more(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            manifest["database"]["tables"][3]["rows"] += 1

        refuses(there, forged(backup, one_more), "its manifest says")


def killed_in_the_middle(path: Path) -> tuple[bytes, bytes]:
    """What is in the database's file and in its journal when a server is killed after a commit."""
    with closing(sqlite3.connect(path)) as killed:
        killed.execute("PRAGMA journal_mode=WAL")
        killed.execute("UPDATE workspaces SET name = 'changed since'")
        killed.commit()
        return path.read_bytes(), Path(f"{path}-wal").read_bytes()


@ON_SQLITE
class TestSqlite:
    def test_it_is_there_at_every_moment(
        self, backup: Path, full: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A kill in the middle of the exchange leaves the old database, whole."""
        fill_again = dump(full.database)
        one(full.database, "PRAGMA journal_mode=WAL")

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(sqlite_place.Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            restore(full, backup, force=True)

        assert dump(full.database) == fill_again

    def test_a_damaged_one_is_replaced_when_forced(
        self, backup: Path, full: Settings, there: Settings
    ) -> None:
        before = dump(full.database)
        path = full.data_dir / "crewai-runner.db"
        _, journal = killed_in_the_middle(path)
        path.write_bytes(b"rubbish" * 1000)
        Path(f"{path}-wal").write_bytes(journal)

        refuses(full, backup, "not empty; --force")
        restore(full, backup, force=True)

        assert dump(full.database) == before
        assert not Path(f"{path}-wal").exists()

    def test_a_journal_that_was_left_does_not_reach_the_new_database(
        self, backup: Path, full: Settings
    ) -> None:
        before = dump(full.database)
        path = full.data_dir / "crewai-runner.db"
        data, journal = killed_in_the_middle(path)
        path.write_bytes(data)
        Path(f"{path}-wal").write_bytes(journal)

        kept = restore(full, backup, force=True).kept

        assert dump(full.database) == before
        assert (
            one(f"sqlite:///{kept[0]}", "SELECT count(*) FROM workspaces WHERE name = 'changed since'") == 3
        )

    def test_the_database_of_another_manifest(self, backup: Path, there: Settings) -> None:
        def fewer(manifest: dict[str, Any], _members: dict[str, bytes]) -> None:
            manifest["database"]["tables"][3]["rows"] -= 1

        refuses(there, forged(backup, fewer), "not the one its manifest describes")
