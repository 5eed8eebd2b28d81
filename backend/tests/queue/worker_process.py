"""A worker process for tests that kill it.

`python -m tests.queue.worker_process URL [--lease SECONDS] [--drain-timeout SECONDS] [--hold]
[--concurrency NUMBER]` prints `ready`, and `begin RUN` and `end RUN` for each job. With `--hold`, jobs end
only after the line `go` on standard input. The line `drain` stops the worker, which waits at most
`--drain-timeout` for its jobs. Orphaned jobs are requeued.
"""

import argparse
import asyncio
import sys

from crewai_runner.queue.dbos import DbosQueue


def write_line(*words: str) -> None:
    print(*words, flush=True)


async def requeue_orphans(queue: DbosQueue) -> None:
    while True:
        await queue.requeue(await queue.orphans())
        await asyncio.sleep(0.1)


async def run_worker(url: str, lease: float, drain_timeout: float, hold: bool, concurrency: int) -> None:
    go = asyncio.Event()
    if not hold:
        go.set()

    async def execute(run_id: str, _attempt: int) -> None:
        write_line("begin", run_id)
        await go.wait()
        write_line("end", run_id)

    queue = DbosQueue(url, concurrency=concurrency, poll_seconds=0.1, lease_seconds=lease)  # not notified
    await queue.start(execute)
    requeueing = asyncio.create_task(requeue_orphans(queue))
    write_line("ready")
    while (await asyncio.to_thread(sys.stdin.readline)).strip() == "go":
        go.set()
    requeueing.cancel()
    await queue.drain(drain_timeout)
    write_line("drained")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("url")
    arguments.add_argument("--lease", type=float, default=15.0)
    arguments.add_argument("--drain-timeout", type=float, default=10.0)
    arguments.add_argument("--concurrency", type=int, default=40)
    arguments.add_argument("--hold", action="store_true")
    options = arguments.parse_args()
    limits = (options.lease, options.drain_timeout, options.hold, options.concurrency)
    asyncio.run(run_worker(options.url, *limits))


if __name__ == "__main__":
    main()
