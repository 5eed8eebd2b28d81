"""200 runs at once, each with two model calls of one second."""

import asyncio
import contextlib
import time

import psycopg

from benchmarks.bench import Bench, Benchmark
from benchmarks.load import HttpConnection, percentile
from benchmarks.machine import peak_mb, reset_peak
from benchmarks.product import Product
from benchmarks.references.token import TOKEN
from benchmarks.table import Figures

RUNS = 200
SLOW_MS = 1000


async def measure_reference(bench: Bench) -> Figures:
    """Measure plain CrewAI with as many crews on one loop."""
    crews = bench.start_crewai("base")
    bench.script(delay_ms=SLOW_MS)
    found = await asyncio.to_thread(crews.run_crews, RUNS)
    return {
        "wide-wall": found["wall"],
        "wide-in-flight": bench.provider.state(bodies=False)["maxInFlight"],
        "wide-peak": found["peak_mb"],
    }


async def measure_product(bench: Bench, product: Product) -> Figures:
    """Measure the wall of all runs while their streams, the list and a status are read."""
    bench.script(delay_ms=SLOW_MS)
    reset_peak(*product.pids)
    over = asyncio.Event()
    reading = asyncio.create_task(_read_lists(product, over))
    counting = asyncio.create_task(_count_connections(product, over))
    started = time.monotonic()
    followed = await product.follow_runs(RUNS, RUNS)
    wall = time.monotonic() - started
    over.set()
    latencies, refused = await reading
    delays = [delay for run in followed for delay in run.delays]
    return {
        "wide-wall": wall,
        "wide-in-flight": bench.provider.state(bodies=False)["maxInFlight"],
        "wide-event-delay-p99": 1000 * percentile(delays, 99),
        "wide-gaps": sum(not run.is_gapless for run in followed),
        "wide-api-p99": 1000 * percentile(latencies, 99),
        "wide-refused": refused,
        "wide-peak": peak_mb(*product.pids),
    } | await counting


async def _read_lists(product: Product, over: asyncio.Event) -> tuple[list[float], int]:
    """Read the list of runs every 50 ms; return the seconds of each read and how many were refused."""
    latencies, refused = [], 0
    async with HttpConnection(product.port, TOKEN) as http:
        while not over.is_set():
            asked = time.monotonic()
            status, _ = await http.request("GET", "/api/v1/runs?limit=50")
            latencies.append(time.monotonic() - asked)
            refused += status >= 400
            await asyncio.sleep(0.05)
    return latencies, refused


async def _count_connections(product: Product, over: asyncio.Event) -> Figures:
    """Return the most connections to PostgreSQL at one time, per process; nothing for SQLite."""
    if not product.database_url:
        return {}
    most, query = 0, "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
    async with await psycopg.AsyncConnection.connect(product.database_url, autocommit=True) as connection:
        while not over.is_set():
            row = await (await connection.execute(query)).fetchone()
            most = max(most, row[0] if row else 0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await over.wait()
    return {"database-connections": most / len(product.servers)}


BENCHMARK = Benchmark(reference=measure_reference, on_product=measure_product)
