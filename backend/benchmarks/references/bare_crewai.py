"""Plain CrewAI in a separate process: ``python -m benchmarks.references.bare_crewai base|kickoff URL``.

Reads one JSON command per line and writes one JSON line:
``{"do": "runs", "count": 50}`` -> ``{"wall", "cpu", "build_cpu", "peak_mb"}`` in seconds and MB;
``{"do": "first_call"}`` -> ``{"asked": monotonic seconds}``, after building and running one crew;
The crews are built before the measurement, the most favourable case for CrewAI. ``base`` runs ``akickoff`` of
all crews on one event loop with a thread per run and one model object; ``kickoff`` runs one thread per crew.
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


def create_model(url: str) -> LLM:
    """Return a model object of the scripted provider."""
    return LLM(model=f"openai/{MODEL}", base_url=url, api_key="bench", stream=False)


def build(url: str, shared: LLM | None = None) -> Crew:
    """Build the crew of ``benchmarks.workload``; each agent has its own model object unless one is shared."""
    agents = {
        key: Agent(**texts, llm=shared or create_model(url), verbose=False) for key, texts in AGENTS.items()
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
    """``akickoff`` of all crews on one event loop, with a thread for each crew's blocking calls."""

    async def run_all() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(crews) + 4))
        await asyncio.gather(*(crew.akickoff() for crew in crews))

    asyncio.run(run_all())


RUNNERS = {"kickoff": run_in_threads, "base": run_on_one_loop}


def measure(mode: str, url: str, count: int) -> dict[str, float]:
    """Run ``count`` crews concurrently and return the measurements."""
    before_build = time.process_time()
    shared = create_model(url) if mode == "base" else None
    crews = [build(url, shared) for _ in range(count)]
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


def run_command(command: dict[str, Any], mode: str, url: str) -> dict[str, float]:
    """Execute one command."""
    if command["do"] == "runs":
        return measure(mode, url, command["count"])
    return first_call(url)


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
