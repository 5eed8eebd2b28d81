"""One process for one SQLite folder."""

from pathlib import Path

import pytest

from crewai_runner.queue.data_dir_lock import DataDirInUse, DataDirLock


class TestDataDirLock:
    def test_refuses_a_second_holder_and_names_the_folder(self, tmp_path: Path) -> None:
        first, second = DataDirLock(tmp_path), DataDirLock(tmp_path)
        first.acquire()

        with pytest.raises(DataDirInUse, match=f"another process already uses {tmp_path}"):
            second.acquire()

        first.release()

    def test_can_be_acquired_again_after_release(self, tmp_path: Path) -> None:
        first, second = DataDirLock(tmp_path), DataDirLock(tmp_path)
        first.acquire()
        first.release()
        first.release()

        second.acquire()

        second.release()

    def test_creates_the_folder_and_locks_each_folder_separately(self, tmp_path: Path) -> None:
        here, there = DataDirLock(tmp_path / "here"), DataDirLock(tmp_path / "there")

        here.acquire()
        there.acquire()

        assert (tmp_path / "here").is_dir()
        here.release()
        there.release()
