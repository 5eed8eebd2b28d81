"""Crew hosts that are killed, stopped, or frozen by a run, while runs go on in both of them."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass

from benchmarks.api_requests import get
from benchmarks.bench import Bench, Benchmark
from benchmarks.lifecycle import GATE, IN_SECOND, RUNS, SECOND, count_first_calls, wait_for_second_calls
from benchmarks.load import call_periodically, wait_until
from benchmarks.machine import process_trees, threads_and_files
from benchmarks.product import Product
from benchmarks.references.token import TOKEN
from benchmarks.servers import BACKEND
from benchmarks.table import Figures
from benchmarks.workload import TASKS, WORKFLOW
from tests.support.scripted_provider import Rule, Say

PLANTED = BACKEND / "tests" / "product" / "planted_faults"
KILLED_RUNS = 50
STOPPED_RUNS = 12
"""Every run of a host that froze goes on in a host of its own, at most eight at a time."""
FREEZER = "Freeze your process."
FREEZING = {**WORKFLOW, "tasks": [{**TASKS[0], "description": FREEZER}]}


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Lose a host in three ways; the product has a planted fault by which a run can freeze its process."""
    if setup != "two-hosts":
        return {}
    with bench.product(setup, PYTHONPATH=str(PLANTED)) as product:
        await product.connect(bench.provider.base_url)
        killed = await _measure_losses(bench, product, signal.SIGKILL, KILLED_RUNS, hosts=2)
        figures = {
            "host-kill-resumed": killed.seconds,
            "host-kill-repeated": killed.repeated,
            # Each run starts in the host with the least work, so half of them ran in the first one killed.
            "host-kill-unharmed": killed.lost - KILLED_RUNS / 2,
        }
        stopped = await _measure_losses(bench, product, signal.SIGSTOP, STOPPED_RUNS)
        figures |= {"host-stop-resumed": stopped.seconds, "host-stop-repeated": stopped.repeated}
        return figures | await _measure_freeze(bench, product)


@dataclass(frozen=True)
class _Losses:
    """Hosts lost one after the other.

    ``seconds`` until the last lost run went on, after the slowest loss; how many runs the first loss cut, and
    how many first tasks were repeated.
    """

    seconds: float
    lost: int
    repeated: int


async def _measure_losses(
    bench: Bench, product: Product, number: signal.Signals, runs: int, hosts: int = 1
) -> _Losses:
    """Send the signal to the busiest hosts in turn; measure until each of their runs repeats its call."""
    bench.script(IN_SECOND)
    ids = await product.begin(runs)
    await wait_for_second_calls(bench, runs)
    lost, seconds = [0], []
    for pid in _list_busiest_hosts(product)[:hosts]:
        sent = time.monotonic()
        os.kill(pid, number)
        lost.append(await _wait_for_repeated_calls(bench, runs, more_than=lost[-1]))
        seconds.append(time.monotonic() - sent)
    bench.provider.release(GATE)
    await product.finish(ids)
    return _Losses(max(seconds), lost[1], count_first_calls(bench) - runs)


def _list_busiest_hosts(product: Product) -> list[int]:
    """Return the processes without children, those with the most threads and files first: the crew hosts."""
    alone = [pid for pid in process_trees(product.pids) if process_trees([pid]) == {pid}]
    return sorted(alone, key=lambda pid: sum(threads_and_files(pid)), reverse=True)


async def _wait_for_repeated_calls(bench: Bench, runs: int, more_than: int) -> int:
    """Wait until ``more_than`` calls have been cut and each was repeated; return how many were cut."""

    async def repeated() -> bool:
        requests = bench.provider.requests
        cut = sum(one.disconnected_at is not None for one in requests)
        return cut > more_than and bench.provider.state(bodies=False)["inFlight"] == runs

    await wait_until(repeated, every=0.02, seconds=120)
    return sum(one.disconnected_at is not None for one in bench.provider.requests)


async def _measure_freeze(bench: Bench, product: Product) -> Figures:
    """Start a run that freezes its process among others; it must fail alone while the API answers."""
    freezing = Rule(Say("FREEZE"), last_contains=FREEZER)
    bench.script(freezing, Rule(Say("done", delay=15), last_contains=SECOND))
    others = await product.begin(RUNS)
    await wait_for_second_calls(bench, RUNS)
    over, started = asyncio.Event(), time.monotonic()
    probing = asyncio.create_task(
        call_periodically(product.port, TOKEN, get("/health"), every=0.02, until=over)
    )
    answer = await product.call("POST", "/api/workflows/start", {"workflow": FREEZING})
    failed = await product.wait_for_end(answer["runId"])
    seconds = time.monotonic() - started
    done = await product.finish(others)
    over.set()
    return {
        "freeze-health": (await probing).at(100),
        "freeze-failed": seconds,
        "freeze-completed": len(done) if failed["error"]["code"] == "engine-frozen" else 0,
    }


BENCHMARK = Benchmark(on_setup=measure_setup, full_only=True)
