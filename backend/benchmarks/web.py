"""The API: lists over many rows, small reads and writes, and manners while crews stream."""

import asyncio
from itertools import count
from typing import Any

from benchmarks.bench import Bench
from benchmarks.load import Call, Http, Latencies, hammer, probe
from benchmarks.references.token import TOKEN
from benchmarks.seed import seed
from benchmarks.servers import Product, Server
from benchmarks.table import Goal, Row
from benchmarks.work import MODEL
from tests.support.scripted_provider import Rule, Say

CONNECTIONS = 8
SIZES = (100, 10_000, 100_000)
QUICK_SIZES = (100_000,)
EVENTS_OF_EACH_RUN = 10
STREAMING_CREWS = 50
NUMBERS = count(1)


def get(path: str) -> Call:
    """A call that reads the path and insists on success."""
    return lambda http: http.json("GET", path)


async def insert_bare(http: Http) -> Any:
    return await http.json("POST", "/rows", {"name": f"row {next(NUMBERS)}"})


async def family(bench: Bench) -> list[Row]:
    """The product's routes against those of bare FastAPI."""
    rows = await _small(bench) + await _while_streaming(bench)
    bench.retire_product()
    for size in QUICK_SIZES if bench.quick else SIZES:
        rows += await _list(bench, size)
    return rows


async def _load(bench: Bench, server: Server, call: Call) -> Latencies:
    await hammer(server.port, TOKEN, call, connections=CONNECTIONS, seconds=0.5)
    return await hammer(server.port, TOKEN, call, connections=CONNECTIONS, seconds=2 if bench.quick else 5)


async def _small(bench: Bench) -> list[Row]:
    """One protected read and one insert."""
    with bench.bare_web() as web:
        await web.ready("/protected")
        bare = [await _load(bench, web, call) for call in (get("/protected"), insert_bare)]
    product = await bench.warm_product()
    path = f"/api/v1/models/{(await product.call('GET', '/api/models'))['models'][0]['id']}"
    provider = (await product.call("GET", "/api/providers"))["providers"][0]["id"]

    async def insert(http: Http) -> Any:
        name = f"{MODEL}-{next(NUMBERS)}"
        return await http.json(
            "POST", "/api/v1/models", {"name": name, "type": "llm", "providerId": provider}
        )

    ours = [await _load(bench, product, call) for call in (get(path), insert)]
    names = [("one model by id", "bare protected endpoint"), ("insert of a model", "bare insert")]
    return [
        row
        for (name, against), own, other in zip(names, ours, bare, strict=True)
        for row in _rows(name, own, other, against, ((), ()))
    ]


async def _list(bench: Bench, size: int) -> list[Row]:
    """The newest runs, and the events of one, out of many."""
    with bench.bare_web(size) as web:
        await web.ready("/protected")
        bare = await _load(bench, web, get("/rows"))
    folder = bench.new_folder()
    bench.script()
    with Product(folder) as product:
        await product.connect(bench.provider.base_url)
    seed(product.database, size, EVENTS_OF_EACH_RUN)
    with Product(folder) as product:
        await product.ready("/health/ready")
        runs = await _load(bench, product, get("/api/v1/runs?limit=50"))
        run = (await product.call("GET", "/api/v1/runs?limit=1"))["runs"][0]["id"]
        events = await _load(bench, product, get(f"/api/v1/runs/{run}/events"))
    against = "bare indexed read of 50 rows, 12 columns"
    goals = ((Goal(0.5, at_least=True),), (Goal(5.0),)) if size == 100_000 else ((), ())
    return [
        *_rows(f"list of 50 runs out of {size:,}", runs, bare, against, goals),
        *_rows(f"events of one run out of {size * EVENTS_OF_EACH_RUN:,}", events, bare, against, ((), ())),
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


async def _while_streaming(bench: Bench) -> list[Row]:
    """A list read at a steady pace while 50 crews stream, against the same process idle."""
    crews = 20 if bench.quick else STREAMING_CREWS
    product = await bench.warm_product()
    idle_over = asyncio.Event()
    asyncio.get_running_loop().call_later(5, idle_over.set)
    idle = await _probe(product, idle_over)
    bench.script(Rule(Say(chunks=["word "] * 60, chunk_delay=0.05)))
    over = asyncio.Event()
    probing = asyncio.create_task(_probe(product, over))
    await product.finish(await product.start(crews))
    over.set()
    busy = await probing
    goals = () if bench.quick else (Goal(150, of="figure"),)
    name = f"API read while {crews} crews stream"
    return [
        Row(f"{name}, p50", "ms", busy.at(50), idle.at(50), "the same read, product idle"),
        Row(f"{name}, p99", "ms", busy.at(99), idle.at(99), "the same read, product idle", goals),
    ]


async def _probe(product: Product, until: asyncio.Event) -> Latencies:
    return await probe(product.port, TOKEN, get("/api/v1/runs?limit=50"), every=0.02, until=until)
