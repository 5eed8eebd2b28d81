"""Many crews at once: CPU per run, wall time, memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from benchmarks.bench import Bench
from benchmarks.machine import cpu_seconds, forget_peak, peak_mb
from benchmarks.servers import Product
from benchmarks.table import Goal, Row
from benchmarks.work import MODEL_CALLS

SLOW_MS = 500
IDEAL = MODEL_CALLS * SLOW_MS / 1000


@dataclass(frozen=True)
class Case:
    """So many runs at once against a provider that takes so long."""

    count: int
    delay_ms: int

    @property
    def rounds(self) -> int:
        """Few runs are measured several times, since one would drown in noise."""
        return max(1, 10 // self.count)


@dataclass(frozen=True)
class Figures:
    """Seconds for all, CPU milliseconds of one run, the most memory at once."""

    wall: float
    cpu_ms: float
    peak_mb: float


def cases(quick: bool) -> list[Case]:
    counts, slow = ([1, 50], [50]) if quick else ([1, 10, 50, 200], [50, 200])
    return [Case(count, 0) for count in counts] + [Case(count, SLOW_MS) for count in slow]


async def family(bench: Bench) -> list[Row]:
    """The product against both ways of bare CrewAI."""
    bare = {mode: _bare(bench, mode) for mode in ("kickoff", "akickoff")}
    product = await bench.warm_product()
    ours = {case: await _ours(bench, product, case) for case in cases(bench.quick)}
    return [row for case, figures in ours.items() for row in _rows(case, figures, bare)]


def _bare(bench: Bench, mode: str) -> dict[Case, Figures]:
    crews = bench.bare_crews(mode)
    found = {}
    for case in cases(bench.quick):
        bench.script(delay_ms=case.delay_ms)
        rounds = [crews.runs(case.count) for _ in range(case.rounds)]
        found[case] = Figures(
            wall=min(one["wall"] for one in rounds),
            cpu_ms=1000 * sum(one["cpu"] for one in rounds) / len(rounds),
            peak_mb=max(one["peak_mb"] for one in rounds),
        )
    return found


async def _ours(bench: Bench, product: Product, case: Case) -> Figures:
    bench.script(delay_ms=case.delay_ms)
    forget_peak(product.pid)
    cpu = cpu_seconds(product.pid)
    walls = [await _round(product, case.count) for _ in range(case.rounds)]
    spent = cpu_seconds(product.pid) - cpu
    return Figures(min(walls), 1000 * spent / (case.count * case.rounds), peak_mb(product.pid))


async def _round(product: Product, count: int) -> float:
    """Seconds from the first request to the moment that the last run ended, by the product's own clock."""
    begun = time.time()
    done = await product.finish(await product.start(count))
    return max(datetime.fromisoformat(run["finishedAt"]).timestamp() for run in done) - begun


def _rows(case: Case, ours: Figures, bare: dict[str, dict[Case, Figures]]) -> list[Row]:
    what = f"{case.count} at once, {case.delay_ms} ms a call"
    against = {
        "kickoff": "kickoff in threads, crews built before",
        "akickoff": "akickoff on one loop, likewise",
    }
    kinds: list[tuple[str, str, Callable[[Figures], float]]] = [("CPU per run", "ms", lambda one: one.cpu_ms)]
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
