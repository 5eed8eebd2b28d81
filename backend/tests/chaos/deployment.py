"""Deployments whose processes can be killed and restarted."""

import contextlib
import shutil
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import psutil
import psycopg

from tests.support.postgresql_server import start_postgresql
from tests.support.server_process import TIMEOUT_SECONDS, ApiClient, ServerProcess

DATABASE = "database"


class Deployment(Protocol):
    """`urls` are the base URLs for clients; members are named `api-1`, `worker-2`, `database`."""

    @property
    def urls(self) -> list[str]: ...

    def kill(self, member: str) -> None:
        """Kill the process with SIGKILL."""

    def restart(self, member: str) -> None:
        """Start the process and wait until it is ready."""

    def memory(self) -> dict[str, int]:
        """Resident memory of each member in bytes."""


class DatabaseServer:
    """A separate PostgreSQL server on a Unix socket, so that tests can kill it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crewai-runner-chaos-"))
        self._server = start_postgresql(self._folder)

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    def kill(self) -> None:
        postmaster = psutil.Process(self._server.get_pid())
        backends = postmaster.children()
        postmaster.kill()
        # The backends exit by themselves; the server cannot be restarted before.
        psutil.wait_procs([postmaster, *backends], timeout=30)

    def restart(self) -> None:
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        self._server.ensure_postgres_running()
        psycopg.connect(self.url, connect_timeout=10).close()

    def close(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


class LocalDeployment:
    """API processes and workers on loopback with a PostgreSQL server, without a proxy."""

    def __init__(self, folder: Path, *, replicas: int = 2, workers: int = 2, **settings: str) -> None:
        self._database = DatabaseServer()
        self._members: dict[str, ServerProcess] = {}
        shared = settings | {"DATABASE_URL": self._database.url, "AUTH_FAILURES_PER_MINUTE": "10000"}
        for role, number in (("api", replicas), ("worker", workers)):
            for index in range(1, number + 1):
                member = ServerProcess(folder / "data", ROLE=role, API_PORT=str(free_port()), **shared)
                member.log_file = folder / f"{role}-{index}.log"
                self._members[f"{role}-{index}"] = member

    def __enter__(self) -> "LocalDeployment":
        # In parallel, because every process imports CrewAI at startup.
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.restart, self._members))
        for name, member in self._members.items():
            wait_until_ready(member, engine=name.startswith("worker"))
        return self

    def __exit__(self, *_: object) -> None:
        for member in self._members.values():
            if member.is_running:
                member.kill()
        self._database.close()

    @property
    def urls(self) -> list[str]:
        return [member.url for name, member in self._members.items() if name.startswith("api")]

    def client(self, member: str) -> ApiClient:
        """Return an authenticated client of one process."""
        return self._members[member].client()

    def kill(self, member: str) -> None:
        self._database.kill() if member == DATABASE else self._members[member].kill()

    def restart(self, member: str) -> None:
        if member == DATABASE:
            self._database.restart()
            return
        wait_until_ready(self._members[member].start(), engine=False)

    def memory(self) -> dict[str, int]:
        return {
            name: psutil.Process(member.pid).memory_info().rss
            for name, member in self._members.items()
            if member.is_running
        }

    def log_without_requests(self, member: str) -> str:
        lines = self._members[member].log().splitlines()
        return "\n".join(line for line in lines if '"event": "request"' not in line)


def wait_until_ready(server: ServerProcess, engine: bool) -> None:
    """Wait until the server is ready, with `engine` until it can execute crews. Raises AssertionError."""
    end = time.monotonic() + TIMEOUT_SECONDS
    with server.client() as client:
        while not is_ready(client, engine):
            assert time.monotonic() < end, f"not ready:\n{server.log()[-3000:]}"
            time.sleep(0.1)


def is_ready(client: ApiClient, engine: bool) -> bool:
    """Ask the server's health endpoint, with `engine` also for the state of CrewAI."""
    if client.http.get("/health/ready").status_code != 200:
        return False
    return not engine or client.get("/api/about")["engine"]["state"] == "ready"


def free_port() -> int:
    """Return an unused TCP port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
