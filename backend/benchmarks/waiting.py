"""Runs that wait for a model: CPU per second, calls in flight, and a stop among them."""

import asyncio
import contextlib
import time

from benchmarks.bench import Bench, Benchmark
from benchmarks.load import percentile, wait_until
from benchmarks.machine import cpu_seconds
from benchmarks.product import Product
from benchmarks.table import Figures
from tests.support.scripted_provider import Hang, Hold, Rule, Say

RUNS = 200
MANY = 1000
STOPS = 20
GATE = "runs wait"
WAIT_SECONDS = 300


async def measure_product(bench: Bench, product: Product) -> Figures:
    """Start runs whose model never answers, let them wait, stop some, then disconnect the others."""
    bench.script(Rule(Hold(GATE, Say("done"))))
    await product.begin(RUNS)
    figures = await _measure_waiting(bench, product, RUNS, "")
    figures["stop-wide-p99"] = await _measure_stops(bench, product)
    bench.provider.release(GATE)
    return figures


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Measure more runs than a product has slots for by default; not in quick mode."""
    if bench.quick:
        return {}
    with bench.product(setup, WORKER_CONCURRENCY=str(MANY)) as product:
        await product.connect(bench.provider.base_url)
        bench.script(Rule(Hang()))
        await product.begin(MANY)
        figures = await _measure_waiting(bench, product, MANY, f"-{MANY}")
        in_flight = bench.provider.state(bodies=False)["inFlight"]
        return figures | {f"waiting-in-flight-{MANY}": in_flight}


async def _measure_waiting(bench: Bench, product: Product, count: int, suffix: str) -> Figures:
    """Return the CPU per run once all of them wait; nothing if they do not, for then crews still start."""
    if await _wait_for_calls(bench, count) < count:
        return {}
    return {f"waiting-cpu{suffix}": await _cpu_per_run(bench, product, count)}


async def _wait_for_calls(bench: Bench, count: int) -> int:
    """Wait until this many calls are open, at most five minutes; return how many are."""

    async def reached() -> bool:
        return int(bench.provider.state(bodies=False)["inFlight"]) >= count

    with contextlib.suppress(TimeoutError):
        await wait_until(reached, every=0.2, seconds=WAIT_SECONDS)
    return int(bench.provider.state(bodies=False)["inFlight"])


async def _cpu_per_run(bench: Bench, product: Product, count: int) -> float:
    """Return the CPU of one waiting run in milliseconds per second, the idle process's included."""
    seconds = 4 if bench.quick else 20
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


BENCHMARK = Benchmark(on_product=measure_product, on_setup=measure_setup)
