"""The processes of the references, plain FastAPI and plain CrewAI, and what all servers share."""

import asyncio
import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from benchmarks.load import HttpConnection
from benchmarks.references.token import TOKEN
from benchmarks.workload import clean_environment

BACKEND = Path(__file__).resolve().parents[1]


def free_port() -> int:
    """Return an unused TCP port."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


class Server:
    """A web server in a separate process, stopped at the end of the ``with`` block; logs to a file."""

    def __init__(self, command: list[str], port: int, folder: Path, environment: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port, self.folder = port, folder
        self._output = (folder / "output.log").open("ab")
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=BACKEND,
            env=clean_environment(str(folder)) | environment,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> None:
        """Send the signal and wait; kills the process after 20 s. Does nothing once the process has ended."""
        self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    async def ready(self, path: str, seconds: float = 60) -> float:
        """Wait for a 200 response; returns the seconds since the start. Raises ``RuntimeError``."""
        while time.monotonic() < self.started + seconds and self._process.poll() is None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                async with HttpConnection(self.port, TOKEN) as http:
                    if (await http.request("GET", path))[0] == 200:
                        return time.monotonic() - self.started
            await asyncio.sleep(0.005)
        raise RuntimeError(
            f"No response on {path}. Output: {(self.folder / 'output.log').read_text()[-2000:]}"
        )

    async def call(self, method: str, path: str, content: Any = None) -> Any:
        """Send one request on a new connection. Raises ``RuntimeError`` for an error status."""
        async with HttpConnection(self.port, TOKEN) as http:
            return await http.json(method, path, content)


class FastApiServer(Server):
    """Plain FastAPI on a SQLite file with ``rows`` rows."""

    def __init__(self, folder: Path, provider_url: str, rows: int = 1000) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        database = folder / "bare.db"
        seed_bare(database, rows)
        port = free_port()
        super().__init__(
            ["benchmarks.references.bare_fastapi", str(port), str(database), provider_url], port, folder, {}
        )


def seed_bare(database: Path, rows: int) -> None:
    """Create a table as wide as the product's list of runs, and one for inserts."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "CREATE TABLE runs (id TEXT PRIMARY KEY, workflow_name TEXT, status TEXT, attempt INTEGER,"
            " created_by TEXT, created_at TEXT, started_at TEXT, finished_at TEXT,"
            " prompt_tokens INTEGER, completion_tokens INTEGER, total_tokens INTEGER, llm_calls INTEGER)"
        )
        connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
        at = "2026-01-01T00:00:00.000000Z"
        filled = ("bench", "completed", 1, "api-key", at, at, at, 100, 20, 120, 2)
        connection.executemany(
            f"INSERT INTO runs VALUES ({','.join('?' * 12)})",
            ((f"run_{n:012}", *filled) for n in range(rows)),
        )


class CrewAiProcess:
    """Plain CrewAI in a separate process, controlled by JSON lines."""

    def __init__(self, mode: str, provider_url: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "output.log"
        self._output = self._log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.references.bare_crewai", mode, provider_url],
            cwd=BACKEND,
            env=clean_environment(str(folder)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            text=True,
        )
        self.pid = self._process.pid
        self.read_result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._output.close()

    def send(self, line: str) -> None:
        """Write one line to the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def read_result(self) -> dict[str, float]:
        """Read the next result, skipping CrewAI's output. Raises ``RuntimeError`` if the process ended."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                found: dict[str, float] = json.loads(line)
                return found
        output = self._log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"The reference process has ended:\n{output}")

    def run_crews(self, count: int) -> dict[str, float]:
        """Run ``count`` crews concurrently; returns ``{wall, cpu, build_cpu, peak_mb}``, CPU per crew."""
        self.send(json.dumps({"do": "runs", "count": count}))
        return self.read_result()
