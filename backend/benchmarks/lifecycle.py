"""Startup time, idle memory, and recovery after kill -9."""

import asyncio
import signal
import time
from pathlib import Path

from benchmarks.api_requests import get
from benchmarks.bench import Bench
from benchmarks.load import call_periodically, wait_until
from benchmarks.machine import resident_mb
from benchmarks.references.token import TOKEN
from benchmarks.servers import ProductServer
from benchmarks.table import Goal, Row
from benchmarks.workload import TASKS
from tests.support.scripted_provider import Hold, Rule, Say

IDLE_SECONDS = 5
GATE = "after the kill"


async def measure(bench: Bench) -> list[Row]:
    """Compare startup and idle memory with plain processes; recovery has no reference."""
    bench.stop_product()
    folder = bench.new_folder()
    idle_mb = await _measure_idle_memory(bench, folder)
    return [
        *await _measure_startup(bench, folder),
        Row(
            "idle RSS after one run, role all",
            "MB",
            idle_mb,
            resident_mb(bench.start_crewai("kickoff").pid),
            "plain CrewAI after its runs, no web server",
            (Goal(350, of="figure"),),
        ),
        *await _measure_recovery(bench),
    ]


async def _measure_idle_memory(bench: Bench, folder: Path) -> float:
    bench.script()
    with ProductServer(folder) as product:
        await product.connect(bench.provider.base_url)
        await asyncio.sleep(IDLE_SECONDS)
        return resident_mb(product.pid)


async def _measure_startup(bench: Bench, folder: Path) -> list[Row]:
    """Measure starts with an existing database, while CrewAI is imported in the background."""
    rounds = 1 if bench.quick else 5
    reference_seconds, product_seconds, slowest = [], [], []
    for _ in range(rounds):
        with bench.start_fastapi() as web:
            reference_seconds.append(await web.ready("/protected"))
        with ProductServer(folder) as product:
            product_seconds.append(await product.ready("/health"))
            slowest.append(await _slowest_during_import(product))
    goals = (Goal(2.0, of="figure"),)
    return [
        Row(
            "process start -> /health",
            "s",
            max(product_seconds),
            max(reference_seconds),
            "plain FastAPI, start -> first response",
            goals,
        ),
        Row("slowest /health during the import of CrewAI", "ms", max(slowest), None, ""),
    ]


async def _slowest_during_import(product: ProductServer) -> float:
    """Return the slowest response of /health in milliseconds until the engine is ready."""
    over = asyncio.Event()
    probing = asyncio.create_task(
        call_periodically(product.port, TOKEN, get("/health"), every=0.02, until=over)
    )
    await wait_until(lambda: _engine_ready(product), every=0.25, seconds=120)
    over.set()
    return (await probing).at(100)


async def _engine_ready(product: ProductServer) -> bool:
    try:
        parts = (await product.call("GET", "/health/ready"))["parts"]
    except RuntimeError:  # 503: the queue is not ready yet
        return False
    return bool(parts["engine"]["message"] == "ready")


async def _measure_recovery(bench: Bench) -> list[Row]:
    """Kill the server during the second task's call, restart it, and wait until the calls are repeated."""
    runs = 5 if bench.quick else 20
    second = TASKS[1]["description"]
    folder = bench.new_folder()
    bench.script()
    with ProductServer(folder) as product:
        await product.connect(bench.provider.base_url)
        bench.script(Rule(Hold(GATE, Say("done")), last_contains=second))
        ids = await product.start(runs)
        await _wait_for_calls(bench, second, runs)
        product.end(signal.SIGKILL)
    with ProductServer(folder) as product:
        await _wait_for_calls(bench, second, 2 * runs)
        recovered = time.monotonic() - product.started
        bench.provider.release(GATE)
        done = await product.finish(ids)
    first_calls = len(bench.provider.requests) - sum(
        second in one.last_message for one in bench.provider.requests
    )
    return [
        Row(f"kill -9 with {runs} runs -> all runs resumed", "s", recovered, goals=(Goal(5.0, of="figure"),)),
        Row("runs lost by the kill", "", runs - len(done), goals=(Goal(0, of="figure"),)),
        Row("finished tasks repeated", "", first_calls - runs, goals=(Goal(0, of="figure"),)),
    ]


def _count(bench: Bench, text: str) -> int:
    """Count the model calls whose last message contains this text."""
    return sum(text in one.last_message for one in bench.provider.requests)


async def _wait_for_calls(bench: Bench, text: str, wanted: int) -> None:
    async def reached() -> bool:
        return _count(bench, text) >= wanted

    await wait_until(reached, every=0.02, seconds=120)
