"""API requests: lists over many rows, single reads and inserts, and latency while crews stream."""

import asyncio
from itertools import count
from typing import Any

from benchmarks.bench import Bench
from benchmarks.load import Call, HttpConnection, Latencies, call_continuously, call_periodically
from benchmarks.references.token import TOKEN
from benchmarks.seed import seed
from benchmarks.servers import ProductServer, Server
from benchmarks.table import Goal, Row
from benchmarks.workload import MODEL
from tests.support.scripted_provider import Rule, Say

CONNECTIONS = 8
SIZES = (100, 10_000, 100_000)
QUICK_SIZES = (100_000,)
EVENTS_PER_RUN = 10
STREAMING_CREWS = 50
NUMBERS = count(1)


def get(path: str) -> Call:
    """Return a call that sends GET and raises for an error status."""
    return lambda http: http.json("GET", path)


async def insert_bare(http: HttpConnection) -> Any:
    return await http.json("POST", "/rows", {"name": f"row {next(NUMBERS)}"})


async def measure(bench: Bench) -> list[Row]:
    """Compare the product's routes with those of plain FastAPI."""
    rows = await _measure_single_rows(bench) + await _measure_while_streaming(bench)
    bench.stop_product()
    for size in QUICK_SIZES if bench.quick else SIZES:
        rows += await _measure_lists(bench, size)
    return rows


async def _load(bench: Bench, server: Server, call: Call) -> Latencies:
    await call_continuously(server.port, TOKEN, call, connections=CONNECTIONS, seconds=0.5)
    return await call_continuously(
        server.port, TOKEN, call, connections=CONNECTIONS, seconds=2 if bench.quick else 5
    )


async def _measure_single_rows(bench: Bench) -> list[Row]:
    """Measure an authenticated read and an insert."""
    with bench.start_fastapi() as web:
        await web.ready("/protected")
        bare = [await _load(bench, web, call) for call in (get("/protected"), insert_bare)]
    product = await bench.start_product()
    path = f"/api/v1/models/{(await product.call('GET', '/api/models'))['models'][0]['id']}"
    provider = (await product.call("GET", "/api/providers"))["providers"][0]["id"]

    async def insert(http: HttpConnection) -> Any:
        name = f"{MODEL}-{next(NUMBERS)}"
        return await http.json(
            "POST", "/api/v1/models", {"name": name, "type": "llm", "providerId": provider}
        )

    ours = [await _load(bench, product, call) for call in (get(path), insert)]
    names = [("one model by id", "plain protected endpoint"), ("insert of a model", "plain insert")]
    return [
        row
        for (name, against), own, other in zip(names, ours, bare, strict=True)
        for row in _rows(name, own, other, against, ((), ()))
    ]


async def _measure_lists(bench: Bench, size: int) -> list[Row]:
    """Measure the list of the newest runs and the events of one run in a large database."""
    with bench.start_fastapi(size) as web:
        await web.ready("/protected")
        bare = await _load(bench, web, get("/rows"))
    folder = bench.new_folder()
    bench.script()
    with ProductServer(folder) as product:
        await product.connect(bench.provider.base_url)
    seed(product.database, size, EVENTS_PER_RUN)
    with ProductServer(folder) as product:
        await product.ready("/health/ready")
        runs = await _load(bench, product, get("/api/v1/runs?limit=50"))
        run = (await product.call("GET", "/api/v1/runs?limit=1"))["runs"][0]["id"]
        events = await _load(bench, product, get(f"/api/v1/runs/{run}/events"))
    against = "plain indexed read of 50 rows, 12 columns"
    goals = ((Goal(0.5, at_least=True),), (Goal(5.0),)) if size == 100_000 else ((), ())
    return [
        *_rows(f"list of 50 runs out of {size:,}", runs, bare, against, goals),
        *_rows(f"events of one run out of {size * EVENTS_PER_RUN:,}", events, bare, against, ((), ())),
    ]


def _rows(
    name: str,
    ours: Latencies,
    bare: Latencies,
    against: str,
    goals: tuple[tuple[Goal, ...], tuple[Goal, ...]],
) -> list[Row]:
    return [
        Row(f"{name}, rate", "/s", ours.rate, bare.rate, against, goals[0]),
        Row(f"{name}, p99", "ms", ours.at(99), bare.at(99), against, goals[1]),
    ]


async def _measure_while_streaming(bench: Bench) -> list[Row]:
    """Measure periodic list requests while crews stream, compared with an idle server."""
    crews = 20 if bench.quick else STREAMING_CREWS
    product = await bench.start_product()
    idle_over = asyncio.Event()
    asyncio.get_running_loop().call_later(5, idle_over.set)
    idle = await _read_periodically(product, idle_over)
    bench.script(Rule(Say(chunks=["word "] * 60, chunk_delay=0.05)))
    over = asyncio.Event()
    probing = asyncio.create_task(_read_periodically(product, over))
    await product.finish(await product.start(crews))
    over.set()
    busy = await probing
    goals = () if bench.quick else (Goal(150, of="figure"),)
    name = f"API read while {crews} crews stream"
    return [
        Row(f"{name}, p50", "ms", busy.at(50), idle.at(50), "the same read, product idle"),
        Row(f"{name}, p99", "ms", busy.at(99), idle.at(99), "the same read, product idle", goals),
    ]


async def _read_periodically(product: ProductServer, until: asyncio.Event) -> Latencies:
    return await call_periodically(product.port, TOKEN, get("/api/v1/runs?limit=50"), every=0.02, until=until)
