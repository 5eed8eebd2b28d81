"""API requests: CPU of lists, single reads and inserts, and the latency of a list while runs go on."""

import asyncio
from itertools import count
from typing import Any

from benchmarks.bench import Bench, Benchmark
from benchmarks.load import Call, HttpConnection, call_continuously, call_periodically
from benchmarks.machine import cpu_seconds
from benchmarks.product import Product
from benchmarks.references.token import TOKEN
from benchmarks.table import Figures
from benchmarks.workload import MODEL

CONNECTIONS = 8
LIST = "/api/v1/runs?limit=50"
NUMBERS = count(1)


def get(path: str) -> Call:
    """Return a call that sends GET and raises for an error status."""
    return lambda http: http.json("GET", path)


def get_body(path: str) -> Call:
    """Return a call that sends GET, reads a body of any type and raises for an error status."""

    async def call(http: HttpConnection) -> None:
        status, body = await http.request("GET", path)
        if status >= 400:
            raise RuntimeError(f"GET {path}: {status} {body[:500]!r}")

    return call


async def insert_bare(http: HttpConnection) -> Any:
    return await http.json("POST", "/rows", {"name": f"row {next(NUMBERS)}"})


async def measure_reference(bench: Bench) -> Figures:
    """Measure plain FastAPI with a bearer token, by SQLAlchemy's ORM and by direct SQL."""
    with bench.start_fastapi() as web:
        await web.ready("/protected")
        calls = {
            "list-cpu": get("/orm-rows"),
            "list-cpu-sql": get("/rows"),
            "model-cpu": get("/protected"),
            "insert-cpu": insert_bare,
        }
        return {key: await cpu_per_call(bench, web.port, [web.pid], call) for key, call in calls.items()}


async def measure_product(bench: Bench, product: Product) -> Figures:
    """Measure the same kinds of requests to the product, and the list while runs go on."""
    bench.script()
    await product.finish(await product.begin(50 - len((await product.call("GET", LIST))["runs"])))
    list_cpu = await cpu_per_call(bench, product.port, product.pids, get(LIST))
    model = f"/api/v1/models/{(await product.call('GET', '/api/models'))['models'][0]['id']}"
    provider = (await product.call("GET", "/api/providers"))["providers"][0]["id"]

    async def insert(http: HttpConnection) -> Any:
        name = f"{MODEL}-{next(NUMBERS)}"
        return await http.json(
            "POST", "/api/v1/models", {"name": name, "type": "llm", "providerId": provider}
        )

    return {
        "list-cpu": list_cpu,
        "list-cpu-sql": list_cpu,
        "model-cpu": await cpu_per_call(bench, product.port, product.pids, get(model)),
        "insert-cpu": await cpu_per_call(bench, product.port, product.pids, insert),
        "list-p99-busy": await _measure_busy_list(bench, product),
    }


async def cpu_per_call(bench: Bench, port: int, pids: list[int], call: Call) -> float:
    """Return the CPU of one call in milliseconds, with several connections that call without pauses."""
    await call_continuously(port, TOKEN, call, connections=CONNECTIONS, seconds=0.5)
    cpu = cpu_seconds(*pids)
    found = await call_continuously(
        port, TOKEN, call, connections=CONNECTIONS, seconds=1 if bench.quick else 4
    )
    return 1000 * (cpu_seconds(*pids) - cpu) / len(found.seconds)


async def _measure_busy_list(bench: Bench, product: Product) -> float:
    """Return the p99 of periodic lists in milliseconds while 20 runs at a time go on."""
    over = asyncio.Event()
    reading = asyncio.create_task(call_periodically(product.port, TOKEN, get(LIST), every=0.02, until=over))
    await product.follow_runs(40 if bench.quick else 160, 20)
    over.set()
    return (await reading).at(99)


BENCHMARK = Benchmark(reference=measure_reference, on_product=measure_product)
