"""Startup, and recovery after kill -9 of the whole product."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.api_requests import get
from benchmarks.bench import Bench, Benchmark
from benchmarks.load import call_periodically, wait_until
from benchmarks.product import Product, ended
from benchmarks.references.token import TOKEN
from benchmarks.table import Figures
from benchmarks.workload import TASKS, clean_environment
from tests.support.scripted_provider import Hold, Rule, Say

RUNS = 20
GATE = "after the kill"
SECOND = TASKS[1]["description"]
IN_SECOND = Rule(Hold(GATE, Say("done")), last_contains=SECOND)


async def measure_reference(bench: Bench) -> Figures:
    """Measure the start of plain FastAPI and the import of CrewAI."""
    with bench.start_fastapi() as web:
        health = await web.ready("/protected")
    started = time.monotonic()
    await asyncio.to_thread(_import_crewai, bench.new_folder())
    imported = time.monotonic() - started
    return {"cold-health": health, "cold-run": imported}


def _import_crewai(folder: Path) -> None:
    command = [sys.executable, "-c", "import crewai"]
    subprocess.run(command, env=clean_environment(str(folder)), check=True)


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Measure where one process is all of the product: it is started four times."""
    if setup == "postgresql":
        return {}
    bench.script()
    folder = bench.new_folder()
    with ended(Product.start(setup, folder)) as product:
        await product.connect(bench.provider.base_url)
    return await _measure_cold_start(bench, setup, folder) | await _measure_kill(bench, setup)


async def _measure_cold_start(bench: Bench, setup: str, folder: Path) -> Figures:
    """Start on an existing database; a run is started as soon as the API accepts it."""
    bench.script()
    over = asyncio.Event()
    with ended(Product.start(setup, folder)) as product:
        health = await product.api.ready("/health")
        probing = asyncio.create_task(
            call_periodically(product.port, TOKEN, get("/health"), every=0.02, until=over)
        )
        await product.api.ready("/health/ready")
        await product.finish(await product.begin(1))
        over.set()
        slowest = (await probing).at(100)
    called = bench.provider.requests[0].started - product.api.started
    return {"cold-health": health, "cold-run": called, "cold-slowest-health": slowest}


async def _measure_kill(bench: Bench, setup: str) -> Figures:
    """Kill the product during the second task's calls, restart it, and wait until the calls are repeated."""
    folder = bench.new_folder()
    bench.script()
    with ended(Product.start(setup, folder)) as product:
        await product.connect(bench.provider.base_url)
        bench.script(IN_SECOND)
        ids = await product.begin(RUNS)
        await wait_for_second_calls(bench, RUNS)
        product.end(signal.SIGKILL)
    with ended(Product.start(setup, folder)) as product:
        await wait_for_second_calls(bench, 2 * RUNS)
        resumed = time.monotonic() - product.api.started
        bench.provider.release(GATE)
        done = await product.finish(ids)
    return {
        "kill-resumed": resumed,
        "kill-lost": RUNS - len(done),
        "kill-repeated": count_first_calls(bench) - RUNS,
    }


def count_first_calls(bench: Bench) -> int:
    """Count the calls of first tasks."""
    return sum(SECOND not in one.last_message for one in bench.provider.requests)


async def wait_for_second_calls(bench: Bench, wanted: int) -> None:
    """Wait until this many calls of second tasks have been made."""

    async def reached() -> bool:
        return sum(SECOND in one.last_message for one in bench.provider.requests) >= wanted

    await wait_until(reached, every=0.02, seconds=120)


BENCHMARK = Benchmark(reference=measure_reference, on_setup=measure_setup, full_only=True)
