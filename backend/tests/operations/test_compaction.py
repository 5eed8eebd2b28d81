"""`crewai-runner compact`: the data stays, the file shrinks, and it is rejected when it cannot work."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from crewai_runner.core.settings import Settings
from crewai_runner.operations.compaction import compact
from crewai_runner.operations.errors import OperationError
from crewai_runner.queue.data_dir_lock import DataDirLock
from tests.operations.conftest import ON_POSTGRESQL, ON_SQLITE
from tests.operations.rows import dump, run_sql


def turn_off_auto_vacuum(settings: Settings) -> None:
    """Give the database the format of files that earlier versions created."""
    with closing(sqlite3.connect(settings.data_dir / "crewai-runner.db", isolation_level=None)) as database:
        database.execute("PRAGMA auto_vacuum = NONE")
        database.execute("VACUUM")


def files_of(settings: Settings) -> set[str]:
    return {path.name for path in settings.data_dir.iterdir()} - {".crewai-runner.lock"}


@ON_SQLITE
class TestCompact:
    def test_old_file_shrinks_and_keeps_its_rows(self, populated: Settings) -> None:
        turn_off_auto_vacuum(populated)
        run_sql(populated.database, "PRAGMA journal_mode=WAL")
        rows, files = dump(populated.database), files_of(populated)
        run_sql(populated.database, "CREATE TABLE big AS SELECT zeroblob(1000000) AS content")
        run_sql(populated.database, "DROP TABLE big")

        result = compact(populated)

        assert result.before - result.after > 900_000
        assert dump(populated.database) == rows
        assert run_sql(populated.database, "PRAGMA auto_vacuum") == 2
        assert (populated.data_dir / "crewai-runner.db").stat().st_mode & 0o777 == 0o600
        assert files_of(populated) <= files

    def test_rejected_while_a_server_uses_the_folder(self, populated: Settings) -> None:
        lock = DataDirLock(populated.data_dir)
        lock.acquire()

        with pytest.raises(OperationError, match="Stop that process first"):
            compact(populated)

        lock.release()

    def test_rejected_without_free_space(self, populated: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = dump(populated.database)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(1, 1, 0))

        with pytest.raises(OperationError, match="0 MiB are free"):
            compact(populated)

        assert dump(populated.database) == rows

    def test_rejected_without_a_database(self, populated: Settings, tmp_path: Path) -> None:
        (populated.data_dir / "crewai-runner.db").unlink()

        with pytest.raises(OperationError, match="does not exist"):
            compact(populated)


@ON_POSTGRESQL
def test_postgresql_needs_no_compaction(populated: Settings) -> None:
    with pytest.raises(OperationError, match="autovacuum"):
        compact(populated)
