"""Where the sandbox service listens and keeps the files of runs: the same for the service and its workers."""

from dataclasses import dataclass
from pathlib import Path

GATEWAY_PORT, EGRESS_PORT = 8081, 8082
SERVICE_USER = 0


@dataclass(frozen=True, slots=True)
class ServicePlaces:
    """`socket` is in a folder that workers and service share; `runs` exists only where the service runs."""

    socket: Path
    runs: Path = Path("/runs")

    @property
    def services(self) -> Path:
        """The folder of the sockets that commands connect to."""
        return self.runs / "services"

    def run(self, name: str) -> Path:
        return self.runs / name

    def work(self, name: str) -> Path:
        return self.run(name) / "work"

    def temporary(self, name: str) -> Path:
        return self.run(name) / "tmp"
