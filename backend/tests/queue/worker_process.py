"""A worker as a process of its own, for tests that kill it.

`python -m tests.queue.worker_process URL [--lease SECONDS] [--patience SECONDS] [--hold]`: prints
`ready`, then `begin RUN` and `end RUN` as jobs go by. With `--hold` jobs end only when the line `go`
comes in on standard input. The line `drain` stops the worker, which waits `--patience` for its
jobs. Orphans are put back.
"""

import argparse
import asyncio
import sys

from crewai_runner.queue.dbos import DbosQueue


def say(*words: str) -> None:
    print(*words, flush=True)


async def sweep(queue: DbosQueue) -> None:
    while True:
        await queue.requeue(await queue.orphans())
        await asyncio.sleep(0.1)


async def work(url: str, lease: float, patience: float, hold: bool) -> None:
    go = asyncio.Event()
    if not hold:
        go.set()

    async def body(run_id: str, _attempt: int) -> None:
        say("begin", run_id)
        await go.wait()
        say("end", run_id)

    queue = DbosQueue(url, concurrency=40, lease_seconds=lease)
    await queue.start(body)
    sweeper = asyncio.create_task(sweep(queue))
    say("ready")
    while (await asyncio.to_thread(sys.stdin.readline)).strip() == "go":
        go.set()
    sweeper.cancel()
    await queue.drain(patience)
    say("drained")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("url")
    arguments.add_argument("--lease", type=float, default=15.0)
    arguments.add_argument("--patience", type=float, default=10.0)
    arguments.add_argument("--hold", action="store_true")
    options = arguments.parse_args()
    asyncio.run(work(options.url, options.lease, options.patience, options.hold))


if __name__ == "__main__":
    main()
