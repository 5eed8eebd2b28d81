"""5,000 short runs in one process: memory, threads, file handles and the queue's rows stay flat."""

import asyncio
import contextlib
import sqlite3
import sys

from benchmarks.bench import Bench, Benchmark
from benchmarks.machine import proportional_mb, threads_and_files
from benchmarks.table import Figures

RUNS = 5_000
FIRST = 500
AT_ONCE = 20
SETTLE_SECONDS = 3
"""Before each measurement: the threads of runs that have just ended are ending too."""
WARM_UP = 60
"""Runs at once before the first step: pools of threads and connections reach the size they keep."""


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Complete the runs in steps and compare the process with what it was after the first step."""
    if setup == "postgresql":
        return {}
    bench.script()
    curve: list[float] = []
    with bench.product(setup) as product:
        await product.connect(bench.provider.base_url)
        await product.follow_runs(WARM_UP, WARM_UP)
        for done in range(FIRST, RUNS + 1, FIRST):
            bench.script()
            await product.follow_runs(FIRST, AT_ONCE)
            await asyncio.sleep(SETTLE_SECONDS)
            curve.append(proportional_mb(*product.pids))
            threads, files = threads_and_files(*product.pids)
            if done == FIRST:
                first_threads, first_files = threads, files
        queue = product.database.with_name("queue.db")
        rows = _count_rows(queue if queue.exists() else product.database)
    print(f"memory after each {FIRST} runs, {setup}: {[round(one) for one in curve]} MB", file=sys.stderr)
    return {
        "endurance-memory": 100 * curve[-1] / curve[0],
        "endurance-threads": threads - first_threads,
        "endurance-files": files - first_files,
        "endurance-queue-rows": rows,
    }


def _count_rows(database: object) -> int:
    """Count the rows of the queue's largest table."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        queue = [name for name in tables if name.startswith(("workflow_", "operation_outputs"))]
        return max(
            (connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in queue), default=0
        )


BENCHMARK = Benchmark(on_setup=measure_setup, full_only=True)
