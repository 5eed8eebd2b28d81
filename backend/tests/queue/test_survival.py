"""Worker processes are killed: no job is lost, and none runs twice at the same time."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from crewai_runner.db.session import make_engine, make_sessions, unit_of_work
from crewai_runner.queue.dbos import DbosQueue
from crewai_runner.queue.leases import EXIT_LEASE_LOST
from tests.queue.recording_job import RecordingJob

BACKEND = Path(__file__).parents[2]
JOBS = [f"run_{number:02}" for number in range(20)]


class Worker:
    """A worker process and the lines it has printed."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.output: list[str] = []

    async def read_output(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.output.append(line.decode().strip())

    async def wait_for_output(self, *lines: str) -> None:
        """Wait until every line was printed. Raises TimeoutError."""
        await wait_until(lambda: set(lines) <= set(self.output))

    def jobs(self, event: str) -> list[str]:
        return [line.split()[1] for line in self.output if line.startswith(f"{event} ")]

    async def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def worker(url: str, *options: str) -> AsyncIterator[Worker]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.queue.worker_process",
        url,
        *options,
        cwd=BACKEND,
        stdin=PIPE,
        stdout=PIPE,
    )
    started = Worker(process)
    reading = asyncio.create_task(started.read_output())
    try:
        yield started
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def submit(url: str, run_ids: list[str]) -> None:
    """Submit jobs from a process that runs none itself, like one with the `api` role."""
    queue = DbosQueue(url)
    await queue.start(RecordingJob(), consume=False)
    engine = make_engine(url)
    async with unit_of_work(make_sessions(engine)) as session:
        for run_id in run_ids:
            await queue.submit(session, run_id, 1, tenant="t")
    await engine.dispose()
    await queue.drain(0)


def begins(run_ids: list[str]) -> list[str]:
    return [f"begin {run_id}" for run_id in run_ids]


def ends(run_ids: list[str]) -> list[str]:
    return [f"end {run_id}" for run_id in run_ids]


class TestOnSqlite:
    async def test_resumes_every_job_after_a_kill(self, sqlite_url: str) -> None:
        await submit(sqlite_url, JOBS)
        async with worker(sqlite_url, "--hold") as first:
            await first.wait_for_output(*begins(JOBS))
            await first.kill()

        async with worker(sqlite_url, "--hold") as second:
            await second.wait_for_output(*begins(JOBS))
            await second.send("go")
            await second.wait_for_output(*ends(JOBS))
            await second.send("drain")
            await second.wait_for_output("drained")

        assert first.jobs("end") == []
        assert Counter(second.jobs("begin")) == Counter(JOBS)
        assert Counter(second.jobs("end")) == Counter(JOBS)

    async def test_refuses_a_second_process_on_the_same_folder(self, sqlite_url: str, tmp_path: Path) -> None:
        async with worker(sqlite_url) as first:
            await first.wait_for_output("ready")
            second = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.queue.worker_process", sqlite_url, cwd=BACKEND, stderr=PIPE
            )
            _, stderr = await second.communicate()

        assert second.returncode == 1
        assert stderr.decode().strip().endswith(f"another process already uses {tmp_path}")

    async def test_killed_process_releases_the_folder(self, sqlite_url: str) -> None:
        async with worker(sqlite_url) as first:
            await first.wait_for_output("ready")
            await first.kill()

        async with worker(sqlite_url) as second:
            await second.wait_for_output("ready")
            await second.send("drain")
            await second.wait_for_output("drained")
            assert await second.process.wait() == 0


class TestOnPostgres:
    async def test_runs_the_jobs_of_a_killed_worker(self, postgres_url: str) -> None:
        async with (
            worker(postgres_url, "--hold", "--lease", "2") as victim,
            worker(postgres_url, "--hold", "--lease", "2") as survivor,
        ):
            await wait_until(lambda: "ready" in victim.output and "ready" in survivor.output)
            # Both workers poll the queue; with twenty submissions each gets at least one job.
            for run_id in JOBS:
                await submit(postgres_url, [run_id])
            await wait_until(lambda: {*victim.jobs("begin"), *survivor.jobs("begin")} == set(JOBS))
            first_attempts = [*victim.jobs("begin"), *survivor.jobs("begin")]
            await victim.kill()

            await survivor.wait_for_output(*begins(victim.jobs("begin")))
            await survivor.send("go")
            await survivor.wait_for_output(*ends(JOBS))

        assert Counter(first_attempts) == Counter(JOBS)
        assert victim.jobs("begin")
        assert Counter(survivor.jobs("begin")) == Counter(JOBS)
        assert Counter(survivor.jobs("end")) == Counter(JOBS)
        assert victim.jobs("end") == []

    async def test_each_worker_claims_what_it_can_run(self, postgres_url: str) -> None:
        async with worker(postgres_url, "--hold", "--concurrency", "2") as small:
            await small.wait_for_output("ready")
            async with worker(postgres_url, "--hold", "--concurrency", "5") as large:
                await large.wait_for_output("ready")

                await submit(postgres_url, JOBS)
                await wait_until(lambda: len(small.jobs("begin")) + len(large.jobs("begin")) >= 7)
                await asyncio.sleep(1)  # several polls: another claim has its chance

                assert (len(small.jobs("begin")), len(large.jobs("begin"))) == (2, 5)

    async def test_worker_that_resumes_without_its_lease_exits(self, postgres_url: str) -> None:
        async with worker(postgres_url, "--hold", "--lease", "1") as suspended:
            await suspended.wait_for_output("ready")
            await submit(postgres_url, JOBS[:1])
            await suspended.wait_for_output(*begins(JOBS[:1]))
            async with worker(postgres_url, "--lease", "1") as other:
                await other.wait_for_output("ready")
                suspended.process.send_signal(signal.SIGSTOP)
                await other.wait_for_output(*ends(JOBS[:1]))
                suspended.process.send_signal(signal.SIGCONT)

                async with asyncio.timeout(30):
                    assert await suspended.process.wait() == EXIT_LEASE_LOST

        assert suspended.jobs("end") == []

    async def test_runs_the_jobs_of_a_drained_worker_immediately(self, postgres_url: str) -> None:
        # No lease expires within this test: the drained worker releases its own.
        async with worker(postgres_url, "--hold", "--lease", "600", "--drain-timeout", "0.1") as drained:
            await drained.wait_for_output("ready")
            await submit(postgres_url, JOBS)
            await drained.wait_for_output(*begins(JOBS))
            async with worker(postgres_url, "--lease", "600") as other:
                await other.wait_for_output("ready")
                await drained.send("drain")
                await other.wait_for_output(*ends(JOBS))
                await drained.wait_for_output("drained")
                assert await drained.process.wait() == 0

        assert drained.jobs("end") == []
        assert Counter(other.jobs("begin")) == Counter(JOBS)
