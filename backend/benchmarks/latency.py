"""Latency of a start, of a stop, and of streamed text."""

import asyncio
import json
import time
from collections.abc import Callable

from benchmarks.bench import Bench, Benchmark
from benchmarks.load import HttpConnection, percentile
from benchmarks.product import STAMP, Product
from benchmarks.references.token import TOKEN
from benchmarks.servers import CrewAiProcess
from benchmarks.table import Figures
from benchmarks.workload import TASKS, WORKFLOW
from tests.support.scripted_provider import Hang, Hold, Rule, Say

STREAMS = 50
READERS = 2
CHUNKS_PER_SECOND = 20
SECOND = TASKS[1]["description"]
GATE = "every reader is connected"
CHUNKS = Say(chunks=["word "] * 80, chunk_delay=1 / CHUNKS_PER_SECOND, stamp=True)


async def measure_reference(bench: Bench) -> Figures:
    """Measure plain CrewAI's start and a plain relay of the model's stream."""
    crews = bench.start_crewai("kickoff")
    starts = [_start_bare(bench, crews) for _ in range(_rounds(bench))]
    bench.script(Rule(CHUNKS))
    with bench.start_fastapi() as web:
        await web.ready("/protected")
        chunks = await _read_delays([(web.port, "/relay")] * STREAMS)
    return _percentiles("start", starts) | _percentiles("chunk", chunks)


async def measure_product(bench: Bench, product: Product) -> Figures:
    """Measure starts and stops one at a time, and the delay of every chunk of many streams."""
    starts = [await _start(bench, product) for _ in range(_rounds(bench))]
    stops = [await _stop(bench, product) for _ in range(_rounds(bench))]
    figures = _percentiles("start", starts) | _percentiles("stop", stops)
    figures |= _percentiles("chunk", await _stream(bench, product, Hold(GATE, CHUNKS)))
    if not bench.quick:
        figures |= _percentiles("chunk-start", await _stream(bench, product, CHUNKS))
    return figures


async def _stream(bench: Bench, product: Product, first_answer: Hold | Say) -> list[float]:
    """Return the delay of every chunk of the first task's answers; the second task's is short.

    An answer that is held is streamed by all runs at once, when their crews have started and their readers
    are connected.
    """
    bench.script(Rule(Say("done"), last_contains=SECOND), Rule(first_answer))
    ids = await product.begin(STREAMS)
    if isinstance(first_answer, Hold):
        await asyncio.to_thread(bench.provider.wait_for_requests, STREAMS, 120)
    paths = [f"/api/v1/runs/{run}/stream" for run in ids for _ in range(READERS)]
    delays = await _read_delays(
        [(product.port, path) for path in paths], lambda: bench.provider.release(GATE)
    )
    await product.finish(ids)
    return delays


def _start_bare(bench: Bench, crews: CrewAiProcess) -> float:
    bench.script()
    crews.send(json.dumps({"do": "first_call"}))
    asked = crews.read_result()["asked"]
    return bench.provider.requests[0].started - asked


async def _start(bench: Bench, product: Product) -> float:
    bench.script()
    async with HttpConnection(product.port, TOKEN) as http:
        asked = time.monotonic()
        run = await http.json("POST", "/api/workflows/start", {"workflow": WORKFLOW})
    await product.finish([run["runId"]])
    return bench.provider.requests[0].started - asked


async def _stop(bench: Bench, product: Product) -> float:
    bench.script(Rule(Hang()))
    [run_id] = await product.begin(1)
    await asyncio.to_thread(bench.provider.wait_for_requests, 1)
    asked = time.monotonic()
    await product.stop_run(run_id)
    await asyncio.to_thread(bench.provider.wait_for_disconnects, 1)
    closed = bench.provider.requests[0].disconnected_at
    assert closed is not None
    return closed - asked


async def _read_delays(
    addresses: list[tuple[int, str]], on_connected: Callable[[], None] = lambda: None
) -> list[float]:
    """Return the delay of every chunk in seconds, of live frames only.

    ``on_connected`` is called when every reader has received its first line.
    """
    delays: list[float] = []
    connected = 0

    async def read(port: int, path: str) -> None:
        nonlocal connected
        live = is_first = True
        async with HttpConnection(port, TOKEN) as http:
            async for line in http.lines(path):
                if is_first:
                    is_first, connected = False, connected + 1
                    if connected == len(addresses):
                        on_connected()
                now = time.monotonic_ns()
                if line.startswith("event:"):
                    live = "llm.chunk" in line
                elif live:
                    delays.extend((now - int(stamp)) / 1e9 for stamp in STAMP.findall(line))

    await asyncio.gather(*(read(port, path) for port, path in addresses))
    return delays


def _percentiles(key: str, seconds: list[float]) -> Figures:
    return {f"{key}-p{percent}": 1000 * percentile(seconds, percent) for percent in (50, 99)}


def _rounds(bench: Bench) -> int:
    return 10 if bench.quick else 50


BENCHMARK = Benchmark(reference=measure_reference, on_product=measure_product)
