"""How soon things happen: a run starts, a run stops, a piece of text reaches the reader."""

import asyncio
import json
import re
import time

from benchmarks.bench import Bench
from benchmarks.load import Http, percentile
from benchmarks.references.token import TOKEN
from benchmarks.servers import BareCrews, Product
from benchmarks.table import Goal, Row
from benchmarks.work import WORKFLOW
from tests.support.scripted_provider import Hang, Rule, Say

STAMP = re.compile(r"@(\d{12,});")
HANG_SECONDS = 3.0
PIECES_PER_SECOND = 20


async def family(bench: Bench) -> list[Row]:
    """Start, stop and stream, against bare CrewAI and a bare relay."""
    product = await bench.warm_product()
    return [
        *await _starts(bench, product),
        *await _stops(bench, product),
        *await _pieces(bench, product),
    ]


async def _starts(bench: Bench, product: Product) -> list[Row]:
    rounds = 20 if bench.quick else 100
    crews = bench.bare_crews("kickoff")
    bare = [_bare_start(bench, crews) for _ in range(rounds)]
    ours = [await _start(bench, product) for _ in range(rounds)]
    return _percentiles(
        "start -> first model call, idle", bare, ours, "building a crew and kickoff", (200, 500)
    )


def _bare_start(bench: Bench, crews: BareCrews) -> float:
    bench.script()
    crews.send(json.dumps({"do": "first_call"}))
    asked = crews.answer()["asked"]
    return bench.provider.requests[0].started - asked


async def _start(bench: Bench, product: Product) -> float:
    bench.script()
    async with Http(product.port, TOKEN) as http:
        asked = time.monotonic()
        run = await http.json("POST", "/api/workflows/start", {"workflow": WORKFLOW})
    await product.finish([run["runId"]])
    return bench.provider.requests[0].started - asked


async def _stops(bench: Bench, product: Product) -> list[Row]:
    rounds = 5 if bench.quick else 20
    crews = bench.bare_crews("akickoff")
    bare = [_bare_stop(bench, crews) for _ in range(2)]
    ours = [await _stop(bench, product) for _ in range(rounds)]
    against = f"cancelled akickoff; the provider gives up after {HANG_SECONDS:g} s"
    return _percentiles("stop -> provider connection closed", bare, ours, against, (100, None))


def _bare_stop(bench: Bench, crews: BareCrews) -> float:
    """CrewAI's own cancel leaves the call alone, so the end is that of the provider."""
    bench.script(Rule(Hang(HANG_SECONDS), times=1))
    crews.send(json.dumps({"do": "stop"}))
    bench.provider.wait_for_requests(1)
    crews.send("")
    cancelled = crews.answer()["cancelled"]
    ended = bench.provider.requests[0]
    return (ended.disconnected_at or ended.finished_at or time.monotonic()) - cancelled


async def _stop(bench: Bench, product: Product) -> float:
    bench.script(Rule(Hang()))
    [run_id] = await product.start(1)
    await asyncio.to_thread(bench.provider.wait_for_requests, 1)
    asked = time.monotonic()
    await product.stop(run_id)
    await asyncio.to_thread(bench.provider.wait_for_disconnects, 1)
    closed = bench.provider.requests[0].disconnected_at
    assert closed is not None
    return closed - asked


async def _pieces(bench: Bench, product: Product) -> list[Row]:
    """Every piece is stamped when it leaves the provider; its age is taken when a reader has it."""
    streams, readers = (10, 2) if bench.quick else (50, 2)
    say = Say(chunks=["word "] * 40, chunk_delay=1 / PIECES_PER_SECOND, stamp=True)
    bench.script(Rule(say))
    with bench.bare_web() as web:
        await web.ready("/protected")
        bare = await _ages([(web.port, "/relay")] * streams)
    bench.script(Rule(say))
    ids = await product.start(streams)
    ours = await _ages([(product.port, f"/api/v1/runs/{run}/stream") for run in ids for _ in range(readers)])
    await product.finish(ids)
    name = f"piece of text -> SSE frame, {streams * PIECES_PER_SECOND}/s, {streams * readers} readers"
    return _percentiles(name, bare, ours, "bare FastAPI relaying as many streams", (50, 200))


async def _ages(addresses: list[tuple[int, str]]) -> list[float]:
    """Seconds of every piece from the provider to its readers; live frames only, not the stored text."""
    ages: list[float] = []

    async def read(port: int, path: str) -> None:
        live = True
        async with Http(port, TOKEN) as http:
            async for line in http.lines(path):
                now = time.monotonic_ns()
                if line.startswith("event:"):
                    live = "llm.chunk" in line
                elif live:
                    ages.extend((now - int(stamp)) / 1e9 for stamp in STAMP.findall(line))

    await asyncio.gather(*(read(port, path) for port, path in addresses))
    return ages


def _percentiles(
    name: str, bare: list[float], ours: list[float], against: str, limits: tuple[float, float | None]
) -> list[Row]:
    pairs: list[tuple[int, float | None]] = [(50, limits[0]), (99, limits[1])]
    return [
        Row(
            f"{name}, p{percent}",
            "ms",
            1000 * percentile(ours, percent),
            1000 * percentile(bare, percent),
            against,
            () if limit is None else (Goal(limit, of="figure"),),
        )
        for percent, limit in pairs
    ]
