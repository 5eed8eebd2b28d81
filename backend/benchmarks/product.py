"""The product in each of its setups: in process, with two crew hosts, on PostgreSQL with two workers."""

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Self

from benchmarks.load import HttpConnection, call_concurrently, wait_until
from benchmarks.references.token import TOKEN
from benchmarks.servers import Server, free_port
from benchmarks.workload import MODEL, WORKFLOW

SLOTS = 256
FINAL_STATES = {"completed", "failed", "stopped", "crashed"}
STAMP = re.compile(r"@(\d{12,});")


def start_server(folder: Path, **settings: str) -> Server:
    """Start one process of the product with these settings."""
    port = free_port()
    environment = {
        "API_KEY": TOKEN,
        "API_PORT": str(port),
        "DATA_DIR": str(folder / "data"),
        "LOCAL_MODEL": "off",
        "LOG_LEVEL": "WARNING",
        "WORKER_CONCURRENCY": str(SLOTS),
        # The rate limiter counts, but never rejects: all load uses one key.
        "RATE_LIMIT_BURST": "10000000",
    }
    return Server(["crewai_runner", "serve"], port, folder, environment | settings)


@dataclass(frozen=True)
class Followed:
    """A run as its reader saw it.

    ``seconds`` from the start request to the end of the stream; ``delays`` from the provider's answer to the
    first frame with it, in seconds; ``sequence`` the numbers of all stored events.
    """

    seconds: float
    delays: list[float] = field(default_factory=list)
    sequence: list[int] = field(default_factory=list)

    @property
    def is_gapless(self) -> bool:
        return self.sequence == list(range(1, len(self.sequence) + 1))


class Product:
    """The product's processes; the first one serves the API."""

    def __init__(self, servers: list[Server], database_url: str) -> None:
        """``database_url`` is that of PostgreSQL, empty for SQLite."""
        self.servers = servers
        self.database_url = database_url
        self.api = servers[0]

    @property
    def pids(self) -> list[int]:
        return [server.pid for server in self.servers]

    @property
    def port(self) -> int:
        return self.api.port

    @classmethod
    def start(cls, setup: str, folder: Path, database_url: str = "", **settings: str) -> Self:
        """Start the processes of a setup: ``in-process``, ``two-hosts`` or ``postgresql``."""
        if setup != "postgresql":
            hosts = {"CREW_HOSTS": "2"} if setup == "two-hosts" else {}
            return cls([start_server(folder, **hosts, **settings)], "")
        shared = {"DATABASE_URL": database_url, "DATA_DIR": str(folder / "data"), **settings}
        api = start_server(folder, ROLE="api", **shared)
        workers = [start_server(folder / f"worker-{n}", ROLE="worker", **shared) for n in (1, 2)]
        return cls([api, *workers], database_url)

    async def ready(self, seconds: float = 120) -> None:
        """Wait until every process is ready and CrewAI is imported where crews run."""
        for server in self.servers:
            await server.ready("/health/ready", seconds)
        runners = self.servers[1:] or self.servers
        for server in runners:
            await wait_until(partial(_has_engine, server), every=0.05, seconds=seconds)

    async def connect(self, provider_url: str, warm_up: int = 1) -> None:
        """Register the scripted provider and its model, then complete runs as a warm-up."""
        await self.ready()
        given = {
            "name": "bench",
            "type": "openai_compatible",
            "apiKey": "sk-bench-1",
            "baseUrl": provider_url,
        }
        provider = (await self.call("POST", "/api/providers", {"provider": given}))["provider"]
        model = {"name": MODEL, "type": "llm", "providerId": provider["id"], "default": True}
        await self.call("POST", "/api/models", {"model": model})
        await self.finish(await self.begin(warm_up))

    async def call(self, method: str, path: str, content: Any = None) -> Any:
        """Send one request. Raises ``RuntimeError`` for an error status."""
        return await self.api.call(method, path, content)

    async def begin(self, count: int) -> list[str]:
        """Start ``count`` runs and return their ids."""

        async def start_one(http: HttpConnection) -> str:
            answer = await http.json("POST", "/api/workflows/start", {"workflow": WORKFLOW})
            return str(answer["runId"])

        return await call_concurrently(self.port, TOKEN, start_one, count, connections=50)

    async def stop_run(self, run_id: str) -> None:
        await self.call("POST", "/api/workflows/stop", {"workflowId": run_id})

    async def finish(self, ids: Iterable[str], seconds: float = 600) -> list[dict[str, Any]]:
        """Wait for these runs and return their summaries. Raises ``RuntimeError`` unless all completed."""
        async with asyncio.timeout(seconds):
            ended = [await self.wait_for_end(run_id) for run_id in ids]
        if bad := [run for run in ended if run["status"] != "completed"]:
            raise RuntimeError(f"{len(bad)} of {len(ended)} runs did not complete: {bad[:1]}")
        return ended

    async def wait_for_end(self, run_id: str) -> dict[str, Any]:
        """Wait until the run has ended, and return it."""
        async with HttpConnection(self.port, TOKEN) as http:
            while True:
                run: dict[str, Any] = (await http.json("GET", f"/api/v1/runs/{run_id}"))["run"]
                if run["status"] in FINAL_STATES:
                    return run
                await asyncio.sleep(0.1)

    async def follow_runs(self, count: int, at_once: int) -> list[Followed]:
        """Complete ``count`` runs, ``at_once`` at a time, each followed by a live reader from its start."""
        remaining = iter(range(count))

        async def follow_next() -> list[Followed]:
            return [await self._follow() for _ in remaining]

        return list(chain(*await asyncio.gather(*(follow_next() for _ in range(at_once)))))

    async def _follow(self) -> Followed:
        started = time.monotonic()
        async with HttpConnection(self.port, TOKEN) as http:
            run = await http.json("POST", "/api/workflows/start", {"workflow": WORKFLOW})
        delays: list[float] = []
        sequence: list[int] = []
        seen: set[str] = set()
        async with HttpConnection(self.port, TOKEN) as http:
            async for line in http.lines(f"/api/v1/runs/{run['runId']}/stream"):
                if line.startswith("id:"):
                    sequence.append(int(line[3:].strip().rpartition(":")[2]))
                for stamp in set(STAMP.findall(line)) - seen:
                    seen.add(stamp)
                    delays.append(time.monotonic() - int(stamp) / 1e9)
        return Followed(time.monotonic() - started, delays, sequence)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End all processes, workers first."""
        for server in reversed(self.servers):
            server.end(number)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.api.folder / "data" / "crewai-runner.db"

    @property
    def url(self) -> str:
        """The URL of the database, on SQLite too."""
        return self.database_url or f"sqlite:///{self.database}"


@contextmanager
def ended(product: Product) -> Iterator[Product]:
    """End the product's processes after the block."""
    try:
        yield product
    finally:
        product.end()


async def _has_engine(server: Server) -> bool:
    """Return whether the process has imported CrewAI."""
    with contextlib.suppress(RuntimeError):
        parts = (await server.call("GET", "/health/ready"))["parts"]
        return bool(parts.get("engine", {}).get("message") == "ready")
    return False
