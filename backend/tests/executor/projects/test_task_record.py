"""The hashes of finished tasks, kept between the attempts of a run."""

import os
from pathlib import Path

import pytest

from crewai_runner.executor.projects.task_record import TaskHashes, list_old_records


class TestTaskHashes:
    def test_survive_an_attempt(self, tmp_path: Path) -> None:
        folder = tmp_path / "tasks"
        TaskHashes(folder, "run_1").save({"research": "aa"})

        assert TaskHashes(folder, "run_1").load() == {"research": "aa"}
        assert TaskHashes(folder, "run_2").load() == {}
        TaskHashes(folder, "run_1").remove()
        TaskHashes(folder, "run_1").remove()
        assert TaskHashes(folder, "run_1").load() == {}

    @pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
    def test_damaged_file_counts_as_missing(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "run_1.json").write_text(text)

        assert TaskHashes(tmp_path, "run_1").load() == {}

    def test_old_records(self, tmp_path: Path) -> None:
        for run_id in ("run_1", "run_2"):
            TaskHashes(tmp_path, run_id).save({})
        os.utime(tmp_path / "run_1.json", (0, 0))

        assert list_old_records(tmp_path, 3600) == ["run_1"]
        assert list_old_records(tmp_path / "missing", 3600) == []
