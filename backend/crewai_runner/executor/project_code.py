"""The code of a project that a run executes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from crewai_runner.domain.project import EntryPoint, ProjectInspection


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file that a run has written, by its path relative to the run's folder."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class HumanQuestion:
    """What the code of a project asks a person.

    `hash` recognises the question in a later attempt, which starts the code from its beginning.
    """

    prompt: str
    hash: str


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A person's answer to a question that an earlier attempt asked; `hash` is the question's."""

    hash: str
    text: str


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What earlier attempts of a run have left beside its finished tasks, on whichever worker they ran."""

    answers: Sequence[GivenAnswer]
    """In the order in which the questions were asked."""
    checkpoints: Mapping[str, Mapping[str, Any]]
    """JSON objects by name."""
    save_checkpoint: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    """Stores a JSON object under a name of at most 200 characters, in place of an earlier one.

    Does nothing if a newer attempt owns the run.
    """
    delete_checkpoints: Callable[[], Awaitable[None]]
    """Forgets all of them: the run is complete."""
    wait_until_unneeded: Callable[[], Awaitable[None]]
    """Waits while the run waits for a person or for this worker to continue, after the attempt has ended."""


@dataclass(frozen=True, slots=True)
class ProjectCode:
    """A version of a project with everything that its execution needs, except for models."""

    project_id: str
    version: int
    content_hash: str
    lock_hash: str | None
    """The environment that the build of the version made; another machine may have to make it again."""
    inspection: ProjectInspection
    entry_point: EntryPoint
    model_map: Mapping[str, str]
    """From what the code asks for to a key of the run's models; `*` stands for everything else."""
    allowed_hosts: Sequence[str]
    secrets: Mapping[str, SecretStr]
    load_archive: Callable[[], Awaitable[bytes]]
    """Returns the zip of the version's files."""
    save_files: Callable[[Sequence[RunFile]], Awaitable[Sequence[RunFile]]]
    """Stores files of the run; returns those that were stored."""
    progress: RunProgress
