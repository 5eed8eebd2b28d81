"""10,000 queued runs behind four slots: order, latency of the API, memory."""

from datetime import datetime

from benchmarks.api_requests import LIST, get
from benchmarks.bench import Bench, Benchmark
from benchmarks.load import call_continuously
from benchmarks.machine import proportional_mb
from benchmarks.references.token import TOKEN
from benchmarks.table import Figures
from tests.support.scripted_provider import Hold, Rule, Say

RUNS = 10_000
SLOTS = 4
STARTED = 200
GATE = "queue is full"


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Queue the runs while the slots are held, read lists, then let the first of them start."""
    if setup != "in-process":
        return {}
    with bench.product(setup, WORKER_CONCURRENCY=str(SLOTS)) as product:
        await product.connect(bench.provider.base_url)
        empty = proportional_mb(*product.pids)
        bench.script(Rule(Hold(GATE, Say("done"))))
        ids = await product.begin(RUNS)
        lists = await call_continuously(product.port, TOKEN, get(LIST), connections=1, seconds=5)
        full = proportional_mb(*product.pids)
        bench.provider.release(GATE)
        started = await product.finish(sorted(ids)[:STARTED])
    return {
        "queued-p99": lists.at(99),
        "queued-memory": full - empty,
        "queued-disorder": _count_overtaken([(run["createdAt"], run["startedAt"]) for run in started]),
    }


def _count_overtaken(times: list[tuple[str, str]]) -> int:
    """Count the runs that started before a run that had been created more than ``SLOTS`` places earlier."""
    starts = [datetime.fromisoformat(start) for _, start in sorted(times)]
    return sum(start < max(starts[: max(0, n - SLOTS)], default=start) for n, start in enumerate(starts))


BENCHMARK = Benchmark(on_setup=measure_setup, full_only=True)
