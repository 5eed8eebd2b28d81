"""Runs that wait for a model: CPU per second, calls in flight, and a stop among them."""

import asyncio
import contextlib
import time

from benchmarks.bench import Bench, Benchmark
from benchmarks.load import percentile, wait_until
from benchmarks.machine import cpu_seconds
from benchmarks.product import Product
from benchmarks.table import Figures
from tests.support.scripted_provider import Hang, Rule

RUNS = 200
MANY = 1000
STOPS = 20


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Start runs whose model never answers, let them wait, then stop some."""
    many = () if bench.quick else (MANY,)
    figures: Figures = {}
    with bench.product(setup, WORKER_CONCURRENCY=str(MANY)) as product:
        await product.connect(bench.provider.base_url)
        bench.script(Rule(Hang()))
        started = 0
        for count in (RUNS, *many):
            await product.begin(count - started)
            started = count
            suffix = "" if count == RUNS else f"-{count}"
            in_flight = await _wait_for_calls(bench, count)
            figures[f"waiting-cpu{suffix}"] = await _cpu_per_run(bench, product, count)
            if count == RUNS:
                figures["stop-wide-p99"] = await _measure_stops(bench, product)
                started -= STOPS
            else:
                figures[f"waiting-in-flight{suffix}"] = in_flight
    return figures


async def _wait_for_calls(bench: Bench, count: int) -> int:
    """Wait until this many calls are open, at most two minutes; return how many are."""

    async def reached() -> bool:
        return int(bench.provider.state(bodies=False)["inFlight"]) >= count

    with contextlib.suppress(TimeoutError):
        await wait_until(reached, every=0.2, seconds=120)
    return int(bench.provider.state(bodies=False)["inFlight"])


async def _cpu_per_run(bench: Bench, product: Product, count: int) -> float:
    """Return the CPU of one waiting run in milliseconds per second, the idle process's included."""
    seconds = 5 if bench.quick else 20
    await asyncio.sleep(3)
    cpu = cpu_seconds(*product.pids)
    await asyncio.sleep(seconds)
    return 1000 * (cpu_seconds(*product.pids) - cpu) / seconds / count


async def _measure_stops(bench: Bench, product: Product) -> float:
    """Stop some of the runs, one at a time; return the p99 until the provider sees the disconnect."""
    page = await product.call("GET", f"/api/v1/runs?limit={STOPS}&status=running")
    found = []
    for number, run in enumerate(page["runs"], start=1):
        asked = time.monotonic()
        await product.stop_run(run["id"])
        await asyncio.to_thread(bench.provider.wait_for_disconnects, number)
        closed = max(one.disconnected_at or 0.0 for one in bench.provider.requests)
        found.append(closed - asked)
    return 1000 * percentile(found, 99)


BENCHMARK = Benchmark(on_setup=measure_setup)
