"""Concurrent crews: CPU per run, runs per second, overhead of one run, delay of its events."""

import time
from collections.abc import Iterable

from benchmarks.bench import Bench, Benchmark
from benchmarks.load import percentile
from benchmarks.machine import cpu_seconds
from benchmarks.product import Followed, Product
from benchmarks.table import Figures
from benchmarks.workload import MODEL_CALLS

AT_ONCE = 20
SLOW_MS = 1000
MODEL_SECONDS = MODEL_CALLS * SLOW_MS / 1000


async def measure_reference(bench: Bench) -> Figures:
    """Measure plain CrewAI at its best, and ``kickoff`` in threads."""
    base, naive = bench.start_crewai("base"), bench.start_crewai("kickoff")
    rounds = 2 if bench.quick else 4
    bench.script()
    at_once = [base.run_crews(AT_ONCE) for _ in range(rounds)]
    figures = {
        "cpu-per-run": 1000 * min(one["cpu"] for one in at_once),
        "runs-per-second": AT_ONCE / min(one["wall"] for one in at_once),
        "cpu-per-run-naive": 1000 * naive.run_crews(AT_ONCE)["cpu"],
    }
    for count in _sizes(bench):
        figures[f"cpu-per-run-{count}"] = 1000 * base.run_crews(count)["cpu"]
    bench.script(delay_ms=SLOW_MS)
    wall = min(base.run_crews(1)["wall"] for _ in range(2 if bench.quick else 5))
    return figures | {"overhead-of-one-run": 1000 * (wall - MODEL_SECONDS)}


async def measure_product(bench: Bench, product: Product) -> Figures:
    """Measure runs that are started over HTTP and followed by a live reader each."""
    bench.script()
    await product.follow_runs(AT_ONCE, AT_ONCE)
    figures = {}
    figures["cpu-per-run"], figures["runs-per-second"], followed = await _measure_round(
        product, 40 if bench.quick else 160, AT_ONCE
    )
    figures["cpu-per-run-naive"] = figures["cpu-per-run"]
    figures |= _delays("event-delay-20", followed)
    for count in _sizes(bench):
        figures[f"cpu-per-run-{count}"], _, _ = await _measure_round(product, max(count, 10), count)
    return figures | await _measure_one(bench, product)


async def _measure_one(bench: Bench, product: Product) -> Figures:
    bench.script(delay_ms=SLOW_MS)
    followed = [run for _ in range(2 if bench.quick else 10) for run in await product.follow_runs(1, 1)]
    overhead = min(run.seconds for run in followed) - MODEL_SECONDS
    return {"overhead-of-one-run": 1000 * overhead} | _delays("event-delay-1", followed)


async def _measure_round(product: Product, count: int, at_once: int) -> tuple[float, float, list[Followed]]:
    """Return CPU per run in milliseconds, runs per second, and the runs."""
    cpu, started = cpu_seconds(*product.pids), time.monotonic()
    followed = await product.follow_runs(count, at_once)
    seconds = time.monotonic() - started
    return 1000 * (cpu_seconds(*product.pids) - cpu) / count, count / seconds, followed


def _delays(key: str, followed: Iterable[Followed]) -> Figures:
    delays = [delay for run in followed for delay in run.delays]
    return {f"{key}-p{percent}": 1000 * percentile(delays, percent) for percent in (50, 99)}


def _sizes(bench: Bench) -> tuple[int, ...]:
    return () if bench.quick else (1, 50, 200)


def derive(reference: Figures, product: Figures) -> Figures:
    """Return the overhead of one run beyond that of plain CrewAI."""
    key = "overhead-of-one-run"
    if key not in product or key not in reference:
        return {}
    return {"overhead-beyond-reference": product[key] - reference[key]}


BENCHMARK = Benchmark(reference=measure_reference, on_product=measure_product)
