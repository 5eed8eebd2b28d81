"""A process's life: how soon it answers, what it weighs idle, how it comes back after kill -9."""

import asyncio
import signal
import time

from benchmarks.bench import Bench
from benchmarks.machine import resident_mb
from benchmarks.servers import Product
from benchmarks.table import Goal, Row
from benchmarks.work import TASKS
from tests.support.scripted_provider import Hold, Rule, Say

IDLE_SECONDS = 5
GATE = "after the kill"


async def family(bench: Bench) -> list[Row]:
    """Start-up and idle memory against bare processes; the return after a kill has no rival."""
    return await _start_up(bench) + await _resume(bench)


async def _start_up(bench: Bench) -> list[Row]:
    rounds = 2 if bench.quick else 5
    bench.script()
    bare_seconds, bare_mb = [], 0.0
    for _ in range(rounds):
        with bench.bare_web() as web:
            bare_seconds.append(await web.ready("/protected"))
    with bench.bare_crews("kickoff") as crews:
        bare_mb = resident_mb(crews.pid)
    folder, seconds = bench.new_folder(), []
    for round_number in range(rounds + 1):
        with Product(folder) as product:
            answered = await product.ready("/health")
            if round_number == 0:
                await product.connect(bench.provider.base_url)
                await asyncio.sleep(IDLE_SECONDS)
                idle_mb = resident_mb(product.pid)
            else:
                seconds.append(answered)
    return [
        Row(
            "process start -> /health",
            "s",
            max(seconds),
            max(bare_seconds),
            "bare FastAPI, one route",
            (Goal(2.0, of="figure"),),
        ),
        Row(
            "idle RSS after one run, role all",
            "MB",
            idle_mb,
            bare_mb,
            "bare CrewAI after one run, no web server",
            (Goal(350, of="figure"),),
        ),
    ]


async def _resume(bench: Bench) -> list[Row]:
    """Kill while the second task's call is pending, start again, and see its calls come anew."""
    runs = 5 if bench.quick else 20
    second = Rule(Hold(GATE, Say("done")), last_contains=TASKS[1]["description"])
    folder = bench.new_folder()
    bench.script()
    with Product(folder) as product:
        await product.connect(bench.provider.base_url)
        bench.script(second)
        ids = await product.start(runs)
        await asyncio.to_thread(bench.provider.wait_for_requests, 2 * runs, 60)
        product.end(signal.SIGKILL)
    with Product(folder) as product:
        await asyncio.to_thread(bench.provider.wait_for_requests, 3 * runs, 120)
        moving = time.monotonic() - product.started
        bench.provider.release(GATE)
        done = await product.finish(ids)
    calls = bench.provider.state(bodies=False)["count"]
    return [
        Row(f"kill -9 of {runs} runs -> all at work again", "s", moving, None, "", (Goal(5.0, of="figure"),)),
        Row("runs lost by the kill", "", runs - len(done), None, "", (Goal(0, of="figure"),)),
        Row(
            "model calls paid twice beyond those cut off",
            "",
            calls - 3 * runs,
            None,
            "",
            (Goal(0, of="figure"),),
        ),
    ]
