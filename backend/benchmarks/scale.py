"""Lists, search, filters, insights and metrics over a large database."""

from benchmarks.api_requests import cpu_per_call, get, get_body
from benchmarks.bench import Bench, Benchmark
from benchmarks.load import call_continuously
from benchmarks.product import Product, ended
from benchmarks.references.token import TOKEN
from benchmarks.seed import seed
from benchmarks.table import Figures
from crewai_runner.db.session import make_engine, make_sessions
from crewai_runner.features.insights.service import OutcomeTotals

RUNS = 100_000
SMALLER = {100: "scale-list-1k", 10_000: "scale-list-100k"}
EVENTS_PER_RUN = 10
LIST = "/api/v1/runs?limit=50"
READS = {
    "scale-insights": "/api/v1/insights?period=30d",
    "scale-search": "/api/v1/runs?limit=50&q=needle",
    "scale-search-frequent": "/api/v1/runs?limit=50&q=weekly+report",
    "scale-search-absent": "/api/v1/runs?limit=50&q=haystack",
    "scale-metadata": "/api/v1/runs?limit=50&metadata=team%3Dblue",
    "scale-metrics": "/metrics",
}


async def measure_reference(bench: Bench) -> Figures:
    """Measure the ORM list of plain FastAPI over as many rows."""
    with bench.start_fastapi(RUNS) as web:
        await web.ready("/protected")
        return {"scale-list": await cpu_per_call(bench, web.port, [web.pid], get("/orm-rows"))}


async def measure_setup(bench: Bench, setup: str) -> Figures:
    """Fill a database step by step and read from it after each step."""
    if setup == "two-hosts":
        return {}  # as in process: no crew runs
    figures: Figures = {}
    folder = bench.new_folder()
    bench.script()
    with bench.database(setup) as url:
        with ended(Product.start(setup, folder, url)) as product:
            await product.connect(bench.provider.base_url)
        for size, key in (SMALLER | {RUNS: "scale-list"}).items():
            seed(product.url, size, EVENTS_PER_RUN)
            await _fold_outcomes(product.url)
            with ended(Product.start(setup, folder, url)) as product:
                await product.ready()
                figures[key] = await cpu_per_call(bench, product.port, product.pids, get(LIST))
                if size == RUNS:
                    figures |= await _measure_reads(product)
    return figures


async def _fold_outcomes(database_url: str) -> None:
    """Do now what a worker does every few seconds: so many runs never end between two folds."""
    engine = make_engine(database_url, pool_size=1)
    await OutcomeTotals(make_sessions(engine)).fold()
    await engine.dispose()


async def _measure_reads(product: Product) -> Figures:
    run = (await product.call("GET", "/api/v1/runs?limit=1"))["runs"][0]["id"]
    reads = READS | {"scale-events": f"/api/v1/runs/{run}/events"}
    figures = {}
    for key, path in reads.items():
        found = await call_continuously(product.port, TOKEN, get_body(path), connections=1, seconds=5)
        figures[key] = found.at(99)
    return figures


BENCHMARK = Benchmark(reference=measure_reference, on_setup=measure_setup, full_only=True)
