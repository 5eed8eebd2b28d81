"""Plain CrewAI in a separate process: ``python -m benchmarks.references.bare_crewai kickoff|akickoff URL``.

Reads one JSON command per line and writes one JSON line:
``{"do": "runs", "count": 50}`` -> ``{"wall", "cpu", "build_cpu", "peak_mb"}`` in seconds and MB;
``{"do": "first_call"}`` -> ``{"asked": monotonic seconds}``, after building and running one crew;
``{"do": "stop"}`` -> ``{"cancelled": monotonic seconds}``, with a model call of the crew pending.
The crews are built before the measurement, the most favourable case for CrewAI.
"""

import asyncio
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from crewai import LLM, Agent, Crew, Task

from benchmarks.machine import peak_mb, reset_peak
from benchmarks.workload import AGENTS, MODEL, TASKS


def build(url: str, stream: bool = False) -> Crew:
    """The crew of ``benchmarks.workload``, each agent with its own model object."""
    agents = {
        key: Agent(
            **texts,
            llm=LLM(model=f"openai/{MODEL}", base_url=url, api_key="bench", stream=stream),
            verbose=False,
        )
        for key, texts in AGENTS.items()
    }
    tasks: dict[str, Task] = {}
    for task in TASKS:
        given = {"context": [tasks[name] for name in task["context"]]} if "context" in task else {}
        tasks[task["name"]] = Task(**{**task, "agent": agents[task["agent"]], **given})
    return Crew(agents=list(agents.values()), tasks=list(tasks.values()), verbose=False)


def run_in_threads(crews: list[Crew]) -> None:
    """``kickoff`` with one thread for each crew."""
    with ThreadPoolExecutor(len(crews)) as pool:
        list(pool.map(lambda crew: crew.kickoff(), crews))


def run_on_one_loop(crews: list[Crew]) -> None:
    """``akickoff`` of all crews on one event loop."""

    async def run_all() -> None:
        await asyncio.gather(*(crew.akickoff() for crew in crews))

    asyncio.run(run_all())


RUNNERS = {"kickoff": run_in_threads, "akickoff": run_on_one_loop}


def measure(mode: str, url: str, count: int) -> dict[str, float]:
    """Run ``count`` crews concurrently and return the measurements."""
    before_build = time.process_time()
    crews = [build(url) for _ in range(count)]
    build_cpu = (time.process_time() - before_build) / count
    reset_peak(os.getpid())
    cpu, wall = time.process_time(), time.monotonic()
    RUNNERS[mode](crews)
    return {
        "wall": time.monotonic() - wall,
        "cpu": (time.process_time() - cpu) / count,
        "build_cpu": build_cpu,
        "peak_mb": peak_mb(os.getpid()),
    }


def first_call(url: str) -> dict[str, float]:
    """Build and run a crew; returns the start time in monotonic seconds."""
    asked = time.monotonic()
    build(url).kickoff()
    return {"asked": asked}


def cancel(url: str) -> dict[str, float]:
    """Cancel ``akickoff`` during its model call; returns the time in monotonic seconds."""
    cancelled: list[float] = []

    async def cancelling() -> None:
        running = asyncio.create_task(build(url).akickoff())
        await asyncio.to_thread(sys.stdin.readline)  # the parent writes a line once the call has arrived
        cancelled.append(time.monotonic())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(cancelling())
    return {"cancelled": cancelled[0]}


def run_command(command: dict[str, Any], mode: str, url: str) -> dict[str, float]:
    """Execute one command."""
    if command["do"] == "runs":
        return measure(mode, url, command["count"])
    return first_call(url) if command["do"] == "first_call" else cancel(url)


def main() -> None:
    mode, url = sys.argv[1:]
    RUNNERS[mode]([build(url)])
    print(json.dumps({"ready": True}), flush=True)
    while line := sys.stdin.readline():
        command: dict[str, Any] = json.loads(line)
        print(json.dumps(run_command(command, mode, url)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
