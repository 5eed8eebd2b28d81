"""Latency of a start, of a stop, and of streamed text."""

import asyncio
import json
import re
import time

from benchmarks.bench import Bench
from benchmarks.load import HttpConnection, percentile
from benchmarks.references.token import TOKEN
from benchmarks.servers import CrewAiProcess, ProductServer
from benchmarks.table import Goal, Row
from benchmarks.workload import WORKFLOW
from tests.support.scripted_provider import Hang, Rule, Say

STAMP = re.compile(r"@(\d{12,});")
HANG_SECONDS = 3.0
CHUNKS_PER_SECOND = 20


async def measure(bench: Bench) -> list[Row]:
    """Compare start, stop and stream with plain CrewAI and a plain relay."""
    product = await bench.start_product()
    return [
        *await _measure_starts(bench, product),
        *await _measure_stops(bench, product),
        *await _measure_chunks(bench, product),
    ]


async def _measure_starts(bench: Bench, product: ProductServer) -> list[Row]:
    rounds = 20 if bench.quick else 100
    crews = bench.start_crewai("kickoff")
    bare = [_bare_start(bench, crews) for _ in range(rounds)]
    ours = [await _start(bench, product) for _ in range(rounds)]
    return _percentiles(
        "start -> first model call, idle", bare, ours, "building a crew and kickoff", (200, 500)
    )


def _bare_start(bench: Bench, crews: CrewAiProcess) -> float:
    bench.script()
    crews.send(json.dumps({"do": "first_call"}))
    asked = crews.read_result()["asked"]
    return bench.provider.requests[0].started - asked


async def _start(bench: Bench, product: ProductServer) -> float:
    bench.script()
    async with HttpConnection(product.port, TOKEN) as http:
        asked = time.monotonic()
        run = await http.json("POST", "/api/workflows/start", {"workflow": WORKFLOW})
    await product.finish([run["runId"]])
    return bench.provider.requests[0].started - asked


async def _measure_stops(bench: Bench, product: ProductServer) -> list[Row]:
    rounds = 5 if bench.quick else 20
    crews = bench.start_crewai("akickoff")
    bare = [_bare_stop(bench, crews) for _ in range(2)]
    ours = [await _stop(bench, product) for _ in range(rounds)]
    against = f"cancelled akickoff; the provider closes after {HANG_SECONDS:g} s"
    return _percentiles("stop -> provider connection closed", bare, ours, against, (100, None))


def _bare_stop(bench: Bench, crews: CrewAiProcess) -> float:
    """Cancel plain CrewAI, which does not close the model call; the provider ends it."""
    bench.script(Rule(Hang(HANG_SECONDS), times=1))
    crews.send(json.dumps({"do": "stop"}))
    bench.provider.wait_for_requests(1)
    crews.send("")
    cancelled = crews.read_result()["cancelled"]
    ended = bench.provider.requests[0]
    return (ended.disconnected_at or ended.finished_at or time.monotonic()) - cancelled


async def _stop(bench: Bench, product: ProductServer) -> float:
    bench.script(Rule(Hang()))
    [run_id] = await product.start(1)
    await asyncio.to_thread(bench.provider.wait_for_requests, 1)
    asked = time.monotonic()
    await product.stop(run_id)
    await asyncio.to_thread(bench.provider.wait_for_disconnects, 1)
    closed = bench.provider.requests[0].disconnected_at
    assert closed is not None
    return closed - asked


async def _measure_chunks(bench: Bench, product: ProductServer) -> list[Row]:
    """Measure the delay of chunks that the provider stamps with their send time."""
    streams, readers = (10, 2) if bench.quick else (50, 2)
    say = Say(chunks=["word "] * 40, chunk_delay=1 / CHUNKS_PER_SECOND, stamp=True)
    bench.script(Rule(say))
    with bench.start_fastapi() as web:
        await web.ready("/protected")
        bare = await _read_delays([(web.port, "/relay")] * streams)
    bench.script(Rule(say))
    ids = await product.start(streams)
    ours = await _read_delays(
        [(product.port, f"/api/v1/runs/{run}/stream") for run in ids for _ in range(readers)]
    )
    await product.finish(ids)
    name = f"chunk -> SSE frame, {streams * CHUNKS_PER_SECOND}/s, {streams * readers} readers"
    return _percentiles(name, bare, ours, "plain FastAPI relaying as many streams", (50, 200))


async def _read_delays(addresses: list[tuple[int, str]]) -> list[float]:
    """Return the delay of every chunk in seconds, of live frames only."""
    delays: list[float] = []

    async def read(port: int, path: str) -> None:
        live = True
        async with HttpConnection(port, TOKEN) as http:
            async for line in http.lines(path):
                now = time.monotonic_ns()
                if line.startswith("event:"):
                    live = "llm.chunk" in line
                elif live:
                    delays.extend((now - int(stamp)) / 1e9 for stamp in STAMP.findall(line))

    await asyncio.gather(*(read(port, path) for port, path in addresses))
    return delays


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
