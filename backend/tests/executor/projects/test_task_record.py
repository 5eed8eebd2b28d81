"""The hashes of finished tasks, kept between the attempts of a run."""

import asyncio
import os
from pathlib import Path

import pytest

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.projects.bridge.messages import TaskCompletedMessage, TaskStartedMessage
from crewai_runner.executor.projects.task_record import (
    RecordingTranslator,
    TaskHashes,
    TaskRecord,
    list_old_records,
)


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


class TestTaskRecord:
    async def test_a_finished_task_is_stored_before_the_attempt_ends(self, tmp_path: Path) -> None:
        """The server may be killed at any time."""
        file = TaskHashes(tmp_path / "tasks", "run_1")
        record = TaskRecord(file, file.load())
        translator = RecordingTranslator("run_1", {}, TextMask([]), record.hashes, record.save_soon)
        task = {"task_key": "research", "description_hash": "0" * 64, "agent": "Researcher"}

        translator.translate(TaskStartedMessage(type="task.started", description="Research", **task))
        translator.translate(TaskCompletedMessage(type="task.completed", raw="Facts", **task))

        async with asyncio.timeout(5):
            while file.load() != {"research": "0" * 64}:
                await asyncio.sleep(0.005)
        await record.close(is_complete=True)
        assert file.load() == {}
