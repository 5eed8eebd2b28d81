"""Concurrent crews: CPU per run, wall time, memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from benchmarks.bench import Bench
from benchmarks.machine import cpu_seconds, peak_mb, reset_peak
from benchmarks.servers import ProductServer
from benchmarks.table import Goal, Row
from benchmarks.workload import MODEL_CALLS

SLOW_MS = 500
IDEAL = MODEL_CALLS * SLOW_MS / 1000


@dataclass(frozen=True)
class Case:
    """A number of concurrent runs and the provider's delay per call."""

    count: int
    delay_ms: int

    @property
    def rounds(self) -> int:
        """Repetitions: small numbers of runs are measured several times to reduce noise."""
        return max(1, 10 // self.count)


@dataclass(frozen=True)
class Measurement:
    """Wall time in seconds, CPU per run in milliseconds, peak memory in MB."""

    wall: float
    cpu_ms: float
    peak_mb: float


def cases(quick: bool) -> list[Case]:
    counts, slow = ([1, 50], [50]) if quick else ([1, 10, 50, 200], [50, 200])
    return [Case(count, 0) for count in counts] + [Case(count, SLOW_MS) for count in slow]


async def measure(bench: Bench) -> list[Row]:
    """Compare the product with kickoff in threads and akickoff on one event loop."""
    bare = {mode: _measure_crewai(bench, mode) for mode in ("kickoff", "akickoff")}
    product = await bench.start_product()
    ours = {case: await _measure_product(bench, product, case) for case in cases(bench.quick)}
    return [row for case, figures in ours.items() for row in _rows(case, figures, bare)]


def _measure_crewai(bench: Bench, mode: str) -> dict[Case, Measurement]:
    crews = bench.start_crewai(mode)
    found = {}
    for case in cases(bench.quick):
        bench.script(delay_ms=case.delay_ms)
        rounds = [crews.run_crews(case.count) for _ in range(case.rounds)]
        found[case] = Measurement(
            wall=min(one["wall"] for one in rounds),
            cpu_ms=1000 * sum(one["cpu"] for one in rounds) / len(rounds),
            peak_mb=max(one["peak_mb"] for one in rounds),
        )
    return found


async def _measure_product(bench: Bench, product: ProductServer, case: Case) -> Measurement:
    bench.script(delay_ms=case.delay_ms)
    reset_peak(product.pid)
    cpu = cpu_seconds(product.pid)
    walls = [await _round(product, case.count) for _ in range(case.rounds)]
    used = cpu_seconds(product.pid) - cpu
    return Measurement(min(walls), 1000 * used / (case.count * case.rounds), peak_mb(product.pid))


async def _round(product: ProductServer, count: int) -> float:
    """Return the seconds from the first request to the end of the last run."""
    start = time.time()
    done = await product.finish(await product.start(count))
    return max(datetime.fromisoformat(run["finishedAt"]).timestamp() for run in done) - start


def _rows(case: Case, ours: Measurement, bare: dict[str, dict[Case, Measurement]]) -> list[Row]:
    what = f"{case.count} concurrent, {case.delay_ms} ms per call"
    against = {
        "kickoff": "kickoff in threads, crews built before the measurement",
        "akickoff": "akickoff on one event loop, crews built before",
    }
    kinds: list[tuple[str, str, Callable[[Measurement], float]]] = [
        ("CPU per run", "ms", lambda one: one.cpu_ms)
    ]
    if case.count > 1:
        kinds.append(("wall", "s", lambda one: one.wall))
    if case.count >= 50:
        kinds.append(("peak RSS", "MB", lambda one: one.peak_mb))
    return [
        Row(
            f"{name}, {what}",
            unit,
            pick(ours),
            pick(bare[mode][case]),
            against[mode],
            _goals(name, mode, case),
        )
        for name, unit, pick in kinds
        for mode in against
    ]


def _goals(name: str, mode: str, case: Case) -> tuple[Goal, ...]:
    goals = {
        ("CPU per run", "kickoff", 50, 0): (Goal(1.0),),
        ("wall", "kickoff", 50, SLOW_MS): (Goal(0.25), Goal(2.5 * IDEAL, of="figure")),
        ("peak RSS", "kickoff", 200, SLOW_MS): (Goal(0.6),),
    }
    return goals.get((name, mode, case.count, case.delay_ms), ())
