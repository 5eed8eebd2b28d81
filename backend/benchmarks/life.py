"""A process's life: how soon it answers, what it weighs idle, how it comes back after kill -9."""

import asyncio
import signal
import time
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.load import probe, until
from benchmarks.machine import resident_mb
from benchmarks.references.token import TOKEN
from benchmarks.servers import Product
from benchmarks.table import Goal, Row
from benchmarks.web import get
from benchmarks.work import TASKS
from tests.support.scripted_provider import Hold, Rule, Say

IDLE_SECONDS = 5
GATE = "after the kill"


async def family(bench: Bench) -> list[Row]:
    """Start-up and idle memory against bare processes; the return after a kill has no rival."""
    bench.retire_product()
    folder = bench.new_folder()
    idle_mb = await _idle(bench, folder)
    return [
        *await _start_up(bench, folder),
        Row(
            "idle RSS after one run, role all",
            "MB",
            idle_mb,
            resident_mb(bench.bare_crews("kickoff").pid),
            "bare CrewAI after its runs, no web server",
            (Goal(350, of="figure"),),
        ),
        *await _resume(bench),
    ]


async def _idle(bench: Bench, folder: Path) -> float:
    bench.script()
    with Product(folder) as product:
        await product.connect(bench.provider.base_url)
        await asyncio.sleep(IDLE_SECONDS)
        return resident_mb(product.pid)


async def _start_up(bench: Bench, folder: Path) -> list[Row]:
    """Starts with a database in place; the engine loads in the background and must not be felt."""
    rounds = 1 if bench.quick else 5
    bare, ours, slowest = [], [], []
    for _ in range(rounds):
        with bench.bare_web() as web:
            bare.append(await web.ready("/protected"))
        with Product(folder) as product:
            ours.append(await product.ready("/health"))
            slowest.append(await _slowest_while_loading(product))
    goals = (Goal(2.0, of="figure"),)
    return [
        Row(
            "process start -> /health",
            "s",
            max(ours),
            max(bare),
            "bare FastAPI, start -> first answer",
            goals,
        ),
        Row("slowest /health while the engine loads", "ms", max(slowest), None, ""),
    ]


async def _slowest_while_loading(product: Product) -> float:
    """The slowest answer of /health, in milliseconds, until the product says that the engine is ready."""
    over = asyncio.Event()
    probing = asyncio.create_task(probe(product.port, TOKEN, get("/health"), every=0.02, until=over))
    await until(lambda: _engine_ready(product), every=0.25, seconds=120)
    over.set()
    return (await probing).at(100)


async def _engine_ready(product: Product) -> bool:
    try:
        parts = (await product.call("GET", "/health/ready"))["parts"]
    except RuntimeError:  # 503: not even the queue is ready
        return False
    return bool(parts["engine"]["message"] == "ready")


async def _resume(bench: Bench) -> list[Row]:
    """Kill while the second task's call is pending, start again, and see those calls come anew."""
    runs = 5 if bench.quick else 20
    second = TASKS[1]["description"]
    folder = bench.new_folder()
    bench.script()
    with Product(folder) as product:
        await product.connect(bench.provider.base_url)
        bench.script(Rule(Hold(GATE, Say("done")), last_contains=second))
        ids = await product.start(runs)
        await _calls(bench, second, runs)
        product.end(signal.SIGKILL)
    with Product(folder) as product:
        await _calls(bench, second, 2 * runs)
        moving = time.monotonic() - product.started
        bench.provider.release(GATE)
        done = await product.finish(ids)
    first_calls = len(bench.provider.requests) - sum(
        second in one.last_message for one in bench.provider.requests
    )
    return [
        Row(f"kill -9 of {runs} runs -> all at work again", "s", moving, goals=(Goal(5.0, of="figure"),)),
        Row("runs lost by the kill", "", runs - len(done), goals=(Goal(0, of="figure"),)),
        Row("finished tasks paid for twice", "", first_calls - runs, goals=(Goal(0, of="figure"),)),
    ]


def _count(bench: Bench, text: str) -> int:
    """How many of the model calls so far end with this text."""
    return sum(text in one.last_message for one in bench.provider.requests)


async def _calls(bench: Bench, text: str, wanted: int) -> None:
    async def reached() -> bool:
        return _count(bench, text) >= wanted

    await until(reached, every=0.02, seconds=120)
