"""The periodic tasks of a worker."""

import os
from datetime import datetime

from crewai_runner.core.clock import now
from crewai_runner.db.transaction_writer import WriteTransaction
from crewai_runner.executor.projects.disk import BUILDING_SOURCES, RUNS, SOURCES
from crewai_runner.queue.in_process import InProcessQueue
from crewai_runner.wiring.periodic_tasks import JOB_BATCH, JOB_RETENTION, PeriodicTasks
from tests.support.harness import ON_SQLITE, RunHarness


class QueueOfEndedJobs(InProcessQueue):
    """Records of ended jobs, as a number."""

    def __init__(self, ended: int) -> None:
        super().__init__()
        self.ended = ended
        self.batches: list[int] = []

    def forget_in(self, transaction: WriteTransaction, finished_before: datetime, limit: int) -> int:
        assert finished_before <= now() - JOB_RETENTION
        deleted = min(self.ended, limit)
        self.ended -= deleted
        self.batches.append(deleted)
        return deleted


@ON_SQLITE
class TestCleanProjectDisk:
    async def test_removes_what_is_old(self, harness: RunHarness) -> None:
        folder = harness.container.project_disk.folder
        for path in (folder / SOURCES / "old", folder / BUILDING_SOURCES / "old", folder / RUNS / "old"):
            path.mkdir(parents=True)
            os.utime(path, (0, 0))

        await PeriodicTasks(harness.container).clean_project_disk()

        assert [*folder.glob("*/old")] == []

    async def test_no_project_was_ever_used(self, harness: RunHarness) -> None:
        await PeriodicTasks(harness.container).clean_project_disk()

        assert not harness.container.project_disk.folder.exists()


@ON_SQLITE
async def test_all_ended_jobs_are_deleted_in_small_transactions(harness: RunHarness) -> None:
    queue = QueueOfEndedJobs(2 * JOB_BATCH + 3)
    harness.container.queue.open(queue)

    await PeriodicTasks(harness.container).delete_old_jobs()

    assert queue.batches == [JOB_BATCH, JOB_BATCH, 3]
