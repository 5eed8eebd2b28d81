"""docker-compose.yml as a deployment: containers behind nginx."""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.chaos.deployment import DATABASE, free_port
from tests.support.server_process import API_KEY, TIMEOUT_SECONDS, ApiClient

ROOT = Path(__file__).parents[3]
PROJECT = "crewai-runner-test"
KILL_ALL = (
    "import os, signal\n"
    "for pid in os.listdir('/proc'):\n"
    "    if pid.isdigit() and int(pid) not in (1, os.getpid()): os.kill(int(pid), signal.SIGKILL)"
)
KILL_POSTGRES = 'kill -9 "$(head -1 "$PGDATA/postmaster.pid")"'


class ComposeDeployment:
    """`docker compose up` of docker-compose.yml, built from this checkout, under a separate project name."""

    def __init__(self, *, replicas: int = 2, workers: int = 2, **settings: str) -> None:
        self.port = free_port()
        self._scale = ("--scale", f"api={replicas}", "--scale", f"worker={workers}")
        secrets = {"API_KEY": API_KEY, "POSTGRES_PASSWORD": "database-password-of-a-test"}
        own = {"HTTP_PORT": str(self.port), "FRONT_SUBNET": "172.31.251.0/24"}
        self._environment = os.environ | settings | secrets | own
        self._members = [f"api-{n}" for n in range(1, replicas + 1)]
        self._members += [f"worker-{n}" for n in range(1, workers + 1)]

    def __enter__(self) -> "ComposeDeployment":
        self.compose("down", "--volumes", "--timeout", "5")
        self.compose("up", "--build", "--wait", "--wait-timeout", "300", *self._scale, timeout=1800)
        for member in self._members:
            if member.startswith("worker"):
                self.wait_for_engine(member)
        return self

    def __exit__(self, *_: object) -> None:
        self.compose("down", "--volumes", "--timeout", "20")

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{self.port}"]

    @property
    def provider_host(self) -> str:
        """The address at which containers reach a server on this host."""
        given = os.environ.get("PROVIDER_HOST")
        [network] = json.loads(docker("network", "inspect", f"{PROJECT}_outside"))
        return given or str(network["IPAM"]["Config"][0]["Gateway"])

    def compose(self, *arguments: str, timeout: float = 300) -> str:
        return compose(ROOT, self._environment, "--project-name", PROJECT, *arguments, timeout=timeout)

    def inspect(self, member: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(docker("inspect", container_name(member)))[0]
        return found

    def execute(self, member: str, *command: str) -> str:
        return docker("exec", container_name(member), *command)

    def kill(self, member: str) -> None:
        """Kill the process in its container; the restart policy starts the container again."""
        shell = ("bash", "-c", KILL_POSTGRES) if member == DATABASE else ("python", "-c", KILL_ALL)
        before = self.inspect(member)["RestartCount"]
        # The container exits before the command returns.
        subprocess.run(["docker", "exec", container_name(member), *shell], capture_output=True, check=False)
        self._wait_until(lambda: self.inspect(member)["RestartCount"] > before, f"{member} to be restarted")

    def restart(self, member: str) -> None:
        self._wait_until(
            lambda: self.inspect(member)["State"]["Health"]["Status"] == "healthy", f"{member} to be healthy"
        )

    def memory(self) -> dict[str, int]:
        """Memory of each container in bytes, from its cgroup."""
        names = [container_name(member) for member in [*self._members, DATABASE, "nginx-1"]]
        lines = docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names).splitlines()
        return {name: parse_size(used) for name, used, *_ in (line.split() for line in lines)}

    def wait_for_engine(self, member: str) -> None:
        program = (
            "import json, os, urllib.request as r; "
            "key = {'Authorization': 'Bearer ' + os.environ['API_KEY']}; "
            "q = r.Request('http://127.0.0.1:8000/api/about', headers=key); "
            "print(json.load(r.urlopen(q))['engine']['state'])"
        )
        self.restart(member)
        self._wait_until(
            lambda: self.execute(member, "python", "-c", program).strip() == "ready", f"{member}'s engine"
        )

    @staticmethod
    def _wait_until(condition: Any, what: str) -> None:
        end = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            assert time.monotonic() < end, f"timed out waiting for {what}"
            time.sleep(0.3)

    def client(self) -> ApiClient:
        return ApiClient(self.urls[0])

    def delete_providers(self) -> None:
        with self.client() as client:
            for old in client.get("/api/providers")["providers"]:
                client.http.delete(f"/api/providers/{old['id']}", params={"force": True})


def compose(folder: Path, environment: Mapping[str, str], *arguments: str, timeout: float) -> str:
    """Run Compose in a folder; returns its output. Raises AssertionError with the output if it fails."""
    command = ["docker", "compose", "--progress", "plain", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def container_name(member: str) -> str:
    """The container name of a member."""
    return f"{PROJECT}-{'postgres-1' if member == DATABASE else member}"


def docker(*arguments: str) -> str:
    return subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=120, check=True
    ).stdout


def parse_size(text: str) -> int:
    """Convert a size such as `161.5MiB` to bytes."""
    units = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "B": 1}
    for unit, size in units.items():
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * size)
    raise ValueError(text)
