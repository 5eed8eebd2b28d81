"""Copying a project, measuring the work folder, and collecting what was written."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from crewai_runner.executor.projects.sandbox.work_folder import (
    MAX_DEPTH,
    FileState,
    WorkFolderTooLarge,
    WrittenFile,
    copy_project,
    list_written,
    measure,
    open_written,
    read_states,
)
from tests.executor.projects.sandbox.runner import LIMITS


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class TestCopyProject:
    def test_copies_files_but_no_links(self, tmp_path: Path, work: Path) -> None:
        project = tmp_path / "project"
        (project / "src").mkdir(parents=True, mode=0o500)
        (project / "src").chmod(0o700)
        (project / "src" / "main.py").write_text("print()")
        (project / "link").symlink_to("/etc/passwd")
        os.mkfifo(project / "fifo")

        states = copy_project(project, work)

        assert list(states) == ["src/main.py"]
        assert not (work / "src" / "main.py").samefile(project / "src" / "main.py")
        assert sorted(path.name for path in work.iterdir()) == ["src"]


class TestMeasure:
    def test_counts_blocks(self, work: Path) -> None:
        (work / "folder").mkdir()
        (work / "folder" / "file").write_bytes(b"x" * 100_000)

        assert 100_000 <= measure(work, LIMITS) < 120_000

    def test_deep_folders(self, work: Path) -> None:
        deepest = work.joinpath(*["x"] * (MAX_DEPTH + 1))
        deepest.mkdir(parents=True)

        with pytest.raises(WorkFolderTooLarge, match="deep"):
            measure(work, LIMITS)

    def test_full_disk(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crewai_runner.executor.projects.sandbox.work_folder.MIN_FREE_BYTES", 2**62)

        with pytest.raises(WorkFolderTooLarge, match="disk"):
            measure(work, LIMITS)

    def test_links_are_not_followed(self, work: Path) -> None:
        (work / "usr").symlink_to("/usr")

        assert measure(work, replace(LIMITS, work_files=1)) == 0

    def test_closes_every_folder(self, work: Path) -> None:
        for index in range(5):
            (work / str(index) / "x").mkdir(parents=True)
        before = count_descriptors()

        with pytest.raises(WorkFolderTooLarge):
            measure(work, replace(LIMITS, work_files=3))

        assert count_descriptors() == before


class TestListWritten:
    def test_new_and_changed_files(self, work: Path) -> None:
        for name in ("kept", "changed"):
            (work / name).write_text(name)
        before = read_states(work)
        (work / "changed").write_text("longer than before")
        (work / "out").mkdir()
        (work / "out" / "report.md").write_text("# Report")

        written, left_out = list_written(work, before, 10, 1000)

        assert (written, left_out) == ([WrittenFile("changed", 18), WrittenFile("out/report.md", 8)], 0)
        with open_written(work, written[1]) as file:
            assert file.read() == b"# Report"

    def test_limits(self, work: Path) -> None:
        for name in "abc":
            (work / name).write_text("12345")
        os.truncate(work / "b", 2**40)  # sparse: no blocks on the disk

        assert list_written(work, {}, 10, 11) == ([WrittenFile("a", 5), WrittenFile("c", 5)], 1)
        assert list_written(work, {}, 1, 2**50) == ([WrittenFile("a", 5)], 2)

    def test_state_changes_with_the_file(self, work: Path) -> None:
        (work / "a").write_text("1")

        assert list_written(work, {"a": FileState(1, 0, 0)}, 10, 10)[0] == [WrittenFile("a", 1)]


class TestOpenWritten:
    @pytest.mark.parametrize("path", ["link", "folder/passwd", "../outside", "fifo", "missing"])
    def test_refuses_everything_but_regular_files(self, work: Path, path: str) -> None:
        (work.parent / "outside").symlink_to("/etc/passwd")
        (work / "link").symlink_to("/etc/passwd")
        (work / "folder").symlink_to("/etc")
        os.mkfifo(work / "fifo")

        with pytest.raises(OSError, match=r".+"):
            open_written(work, WrittenFile(path, 1))
