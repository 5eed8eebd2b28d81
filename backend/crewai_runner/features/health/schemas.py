"""Response schemas of the health endpoints."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.executor.port import EngineState


class Alive(ApiModel):
    status: Literal["healthy"] = "healthy"


class Part(ApiModel):
    ok: bool
    message: str | None = Field(None, description="The state in words; only for callers with a key.")


class Readiness(ApiModel):
    """Whether this process is ready, and the state of each part."""

    status: Literal["ready", "not-ready"]
    parts: dict[str, Part]

    def without_messages(self) -> "Readiness":
        """Return what anonymous callers may see: error messages can name hosts and files."""
        parts = {name: Part(ok=part.ok, message=None) for name, part in self.parts.items()}
        return Readiness(status=self.status, parts=parts)


class EngineRead(ApiModel):
    state: EngineState
    name: str
    version: str | None
    native: bool
    message: str | None


class LocalModelRead(ApiModel):
    state: str
    message: str


class ProjectsState(StrEnum):
    """Whether this server runs the code of projects."""

    SANDBOXED = "sandboxed"
    UNSANDBOXED = "unsandboxed"
    OFF = "off"
    UNAVAILABLE = "unavailable"
    REMOTE = "remote"
    """In the workers, whose sandboxes this process does not know."""


class ProjectsRead(ApiModel):
    state: ProjectsState = Field(
        description="`sandboxed`: they run in a sandbox. `unsandboxed`: with all rights of the server. "
        "`off`: PROJECTS=off. `unavailable`: no sandbox holds on this machine. `remote`: in the workers."
    )
    message: str
    hint: str = Field(description="What to change, in words; empty if there is nothing to change.")


class About(ApiModel):
    """Versions and states of this server."""

    version: str
    role: str
    database: Literal["sqlite", "postgresql"]
    engine: EngineRead
    local_model: LocalModelRead
    projects: ProjectsRead
    runs_at_work: int
    worker_concurrency: int
    stream_readers: int
    waiting_in_queue: int | None
    workers: int | None = Field(description="Processes that take runs; null while the queue is not open.")
    python: str
