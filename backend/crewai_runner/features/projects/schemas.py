"""API schemas of projects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.core.secret_mask import MIN_SECRET_LENGTH
from crewai_runner.core.text import Name, StorableText
from crewai_runner.domain.field_types import Approver, HostPatternText, ModelName
from crewai_runner.domain.project import EntryPoint, ProjectInspection
from crewai_runner.domain.workflow import WorkflowDefinition

MAX_SECRETS = 100
MAX_SECRET_LENGTH = 32_768
CodeModelName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
"""A model as code names it, such as `openai/gpt-4o`."""
MODEL_MAP = (
    'Names of registered models by the names that the code uses: `{"openai/gpt-4o": "my-model"}`. '
    "The key `*` stands for every other name."
)
APPROVER = (
    "Who is asked when the code asks a person: `operator`, `editor`, `owner` or the e-mail address of "
    "someone in the workspace. null: everyone who may answer approvals."
)
HOSTS = "Hosts that the project's runs may contact, such as `*.example.com`. Empty: none but the models."


class BuildState(StrEnum):
    QUEUED = "queued"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


class ProjectFile(ApiModel):
    path: str
    size: int = Field(description="Bytes.")
    sha256: str


class ProjectFileText(ProjectFile):
    """The beginning of a file as text."""

    text: str | None = Field(description="null if the file is not text.")
    truncated: bool = Field(description="Whether the file is longer than the text.")


class ProjectFileList(ApiModel):
    files: list[ProjectFile]


class VersionEntry(ApiModel):
    """A version in a list. Versions never change, except for the state of their build."""

    number: int
    status: BuildState
    content_hash: str = Field(description="SHA-256 over the paths and contents of all files.")
    archive_size: int = Field(description="Bytes stored.")
    note: str | None
    created_by: str
    created_by_name: str
    created_at: datetime


class VersionBuild(ApiModel):
    """The newest build of a version."""

    status: BuildState
    number: int = Field(description="Counts the builds of the version.")
    error: str | None
    lock_hash: str | None = Field(description="Identifies the environment; equal ones are shared.")
    started_at: datetime | None
    finished_at: datetime | None


class VersionDetails(VersionEntry):
    """A version with the result of its inspection."""

    inspection: ProjectInspection
    build: VersionBuild


class ProjectVersionAnswer(ApiModel):
    version: VersionDetails


class ProjectVersionPage(ApiModel):
    versions: list[VersionEntry]
    next_cursor: str | None


class ProjectEntry(ApiModel):
    """A project in a list."""

    id: str
    name: str
    slug: str
    description: str | None
    newest_version: int
    status: BuildState = Field(description="Of the newest version.")
    created_at: datetime
    updated_at: datetime
    revision: int = Field(description="Counts the changes of the project; what `If-Match` expects.")


class ProjectRead(ProjectEntry):
    """A project with its newest version."""

    entry_point: EntryPoint | None = Field(description="null: the first one that the inspection found.")
    model_map: dict[str, str] = Field(description=MODEL_MAP)
    allowed_hosts: list[str] = Field(description=HOSTS)
    approver: str | None = Field(description=APPROVER)
    secret_names: list[str] = Field(description="Names of the environment variables; never their values.")
    provided_names: list[str] = Field(
        description="Environment variables that the code reads and that the server sets, such as keys of "
        "model providers. They need no secret."
    )
    version: VersionDetails


class ProjectAnswer(ApiModel):
    project: ProjectRead


class ProjectUploaded(ApiModel):
    """A new project or version."""

    project: ProjectRead
    sealed_names: list[str] = Field(
        description="Variables of `.env` files in the upload that became secrets of the project. "
        "The files are not stored."
    )
    warnings: list[str]


class ProjectPage(ApiModel):
    projects: list[ProjectEntry]
    next_cursor: str | None


class ProjectUpdate(ApiModel):
    """Fields that are not sent are not changed."""

    # The defaults are never used: only `model_fields_set` counts.
    name: Name = Field(default_factory=str)
    description: StorableText | None = Field(None, max_length=10_000)
    entry_point: EntryPoint | None = Field(None, description="null: the first one of the version.")
    model_map: dict[CodeModelName, ModelName] = Field(
        default_factory=dict, max_length=100, description=MODEL_MAP
    )
    allowed_hosts: list[HostPatternText] = Field(default_factory=list, max_length=100, description=HOSTS)
    approver: Approver | None = Field(None, description=APPROVER)


class ProjectUpdateEnvelope(Envelope):
    project: ProjectUpdate


class FileChange(ApiModel):
    path: str
    kind: Literal["added", "removed", "changed"]
    text: str | None = Field(
        description="Unified diff; null if a file is not text, too large, or unchanged in the first 256 KiB."
    )


class ProjectDiff(ApiModel):
    from_version: int
    to_version: int
    files: list[FileChange]
    truncated: bool = Field(description="Whether texts are left out: only the first 100 files have one.")


class BuildAnswer(ApiModel):
    build: VersionBuild


class BuildLogPage(ApiModel):
    """A part of the log of the newest build."""

    text: str
    next: int = Field(description="Send it as `after` to continue.")
    build: VersionBuild = Field(description="The log is complete once `status` is `ready` or `failed`.")


class SecretValue(ApiModel):
    value: SecretStr = Field(
        min_length=1,
        max_length=MAX_SECRET_LENGTH,
        description=f"From {MIN_SECRET_LENGTH} characters on, the value is masked in the log lines, events "
        "and text files of runs. A shorter one, such as `true`, would mask ordinary text: it stays readable.",
    )


class ProjectSecretEntry(ApiModel):
    name: str
    created_by: str
    created_by_name: str
    updated_at: datetime


class ProjectSecretList(ApiModel):
    secrets: list[ProjectSecretEntry]


class UploadIdentity(ApiModel):
    """Identifies an upload for idempotency."""

    sha256: str
    name: str | None
    note: str | None
    project_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunnableProject:
    """What a run of a project is started with. `named_models` are those that its code names."""

    project_id: str
    version: int
    definition: WorkflowDefinition
    model_map: Mapping[str, str]
    named_models: Sequence[str]


@dataclass(frozen=True, slots=True)
class StoredCode:
    """The code of a version with its project's settings; secrets are decrypted."""

    content_hash: str
    lock_hash: str | None
    inspection: ProjectInspection
    entry_point: EntryPoint
    model_map: Mapping[str, str]
    allowed_hosts: Sequence[str]
    secrets: Mapping[str, SecretStr]
