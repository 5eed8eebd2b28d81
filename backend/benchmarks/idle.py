"""CPU and memory of a product that has executed a few runs and has nothing to do."""

import asyncio

from benchmarks.bench import Bench, Benchmark
from benchmarks.machine import cpu_seconds, proportional_mb
from benchmarks.product import Product
from benchmarks.table import Figures

RUNS = 20
SETTLE_SECONDS = 30
"""CrewAI's import in other processes, and the deletion of ended jobs, still take CPU after the runs."""


async def measure_reference(bench: Bench) -> Figures:
    """Measure the memory of plain CrewAI after its runs."""
    return {"idle-memory": proportional_mb(bench.start_crewai("kickoff").pid)}


async def measure_product(bench: Bench, product: Product) -> Figures:
    """Complete a few runs, then do nothing. It is the first benchmark of a product."""
    bench.script()
    await product.finish(await product.begin(RUNS))
    seconds = 10 if bench.quick else 60
    await asyncio.sleep(SETTLE_SECONDS)
    cpu = cpu_seconds(*product.pids)
    await asyncio.sleep(seconds)
    used = cpu_seconds(*product.pids) - cpu
    return {"idle-cpu": 100 * used / seconds, "idle-memory": proportional_mb(*product.pids)}


BENCHMARK = Benchmark(reference=measure_reference, on_product=measure_product)
