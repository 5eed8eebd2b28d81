"""The folders of a run: what counts as a result, hostile files, and leftovers."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crewai_runner.executor.projects import run_folders
from crewai_runner.executor.projects.run_folders import (
    RunFolders,
    create_run_folders,
    remove_leftover_folders,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "config").mkdir(parents=True)
    (folder / "main.py").write_text("print()")
    (folder / "config" / "a.yaml").write_text("a: 1")
    (folder / "link").symlink_to("/etc/hostname")
    return folder


@pytest.fixture
def folders(tmp_path: Path, source: Path) -> Iterator[RunFolders]:
    created = create_run_folders(tmp_path / "runs", source)
    yield created
    created.remove()


def collect(folders: RunFolders) -> dict[str, bytes]:
    return {file.path: file.content for file in folders.collect()[0]}


class TestCollect:
    def test_new_and_changed_files_are_results(self, folders: RunFolders) -> None:
        assert collect(folders) == {}
        assert not (folders.work / "link").exists()

        (folders.work / "out").mkdir()
        (folders.work / "out" / "report.md").write_text("new")
        (folders.work / "config" / "a.yaml").write_text("a: 22")

        assert collect(folders) == {"out/report.md": b"new", "config/a.yaml": b"a: 22"}

    def test_hostile_files_are_no_results(self, folders: RunFolders, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "key").write_text("canary")
        (folders.work / "file").symlink_to(secret / "key")
        (folders.work / "folder").symlink_to(secret)
        os.mkfifo(folders.work / "pipe")
        (folders.work / ".hidden").write_text("x")
        (folders.work / "two\nlines").write_text("x")

        assert folders.collect() == ([], 1)

    def test_limits(self, folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_folders, "MAX_FILES", 2)
        monkeypatch.setattr(run_folders, "MAX_FILE_BYTES", 100)
        for name, size in {"a": 1, "b": 101, "c": 2, "d": 3}.items():
            (folders.work / name).write_bytes(b"x" * size)

        files, left_out = folders.collect()

        assert [file.path for file in files] == ["a", "c"]
        assert left_out == 2


class TestLeftovers:
    def test_only_those_of_killed_attempts_are_removed(self, tmp_path: Path, source: Path) -> None:
        parent = tmp_path / "runs"
        used, left = (create_run_folders(parent, source) for _ in range(2))
        assert left.lock is not None
        left.lock.close()  # as the end of its process does

        assert remove_leftover_folders(parent) == 0
        assert remove_leftover_folders(parent, min_age_seconds=-1) == 1

        assert used.work.is_dir()
        assert used.sockets.is_dir()
        assert not left.root.exists()
        assert not left.sockets.exists()
        used.remove()
        assert remove_leftover_folders(tmp_path / "missing") == 0

    def test_no_other_folder_is_removed(self, tmp_path: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (tmp_path / "runs" / "r1").mkdir(parents=True)
        (tmp_path / "runs" / "r1" / "lock").write_text(str(other))

        assert remove_leftover_folders(tmp_path / "runs", min_age_seconds=-1) == 1
        assert other.is_dir()
