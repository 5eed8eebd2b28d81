"""API schemas of workflows."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.envelope import Envelope
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.omissions import ImportFinding
from crewai_runner.domain.workflow_yaml.problems import Problem

NOTE = "What changed and why; shown in the list of versions."


class WorkflowDraft(ApiModel):
    """A document to save."""

    yaml: str = Field(description="The document, stored unchanged. Its `name` is the name of the workflow.")
    note: str | None = Field(None, max_length=500, pattern=r"^[^\x00]*$", description=NOTE)


class WorkflowEnvelope(Envelope):
    workflow: WorkflowDraft


class WorkflowEntry(ApiModel):
    """A workflow without its document."""

    id: str
    name: str
    slug: str = Field(description="Its name in `/amp/{slug}`; stays the same when the workflow is renamed.")
    description: str | None
    version: int = Field(description="Number of the newest version; also the ETag.")
    created_at: datetime
    updated_at: datetime


class WorkflowRead(WorkflowEntry):
    """A workflow with its newest version."""

    yaml: str = Field(description="The saved text, unchanged.")
    definition: WorkflowDefinition = Field(description="The definition in the text.")
    note: str | None
    created_by: str = Field(description="Who saved the newest version.")
    created_by_name: str


class WorkflowCreated(ApiModel):
    workflow: WorkflowRead


_WARNINGS = (
    "Everything in the upload that is not in the workflows, with the code `not-imported`, and the warnings "
    "of the documents."
)


class WorkflowImported(ApiModel):
    """The new workflows and the warnings of the import."""

    workflow: WorkflowRead = Field(description="The first of the new workflows.")
    workflows: list[WorkflowEntry] = Field(
        description="All new workflows: one, or one for each crew of a project."
    )
    warnings: list[ImportFinding] = Field(description=_WARNINGS)


class ImportedCrew(ApiModel):
    """What an import makes of one crew of an upload."""

    source: str = Field(
        description="The crew's file or folder, with the line if it is code; empty for a document. Chooses "
        "it in `?crew=`."
    )
    name: str = Field(description="The name of the workflow; empty if the document is not valid.")
    yaml: str = Field(description="The document that is saved.")
    definition: WorkflowDefinition | None = Field(
        description="What is kept; null if the document is not valid."
    )
    problems: list[Problem] = Field(description="Why the crew cannot be imported; empty if it can.")
    warnings: list[ImportFinding] = Field(description="What of this crew is left out or changed.")


class ImportPreview(ApiModel):
    """What an import would save, and what it would leave out. Nothing is saved."""

    crews: list[ImportedCrew]
    warnings: list[ImportFinding] = Field(description="What of the project belongs to none of its crews.")


class ListedWorkflow(NamedTuple):
    """The columns of a workflow that are the fields of a `WorkflowEntry`."""

    id: str
    name: str
    slug: str
    description: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class WorkflowInputs(NamedTuple):
    """A workflow as those see it who start it; `inputs` are those of its newest version, as JSON."""

    slug: str
    name: str
    description: str | None
    inputs: list[dict[str, Any]] | None


class WorkflowSort(StrEnum):
    UPDATED = "updated"
    NAME = "name"


class VersionSummary(ApiModel):
    """A version in a list."""

    number: int
    note: str | None
    created_by: str
    created_by_name: str
    created_at: datetime


class VersionRead(VersionSummary):
    """A version with its document. Versions never change."""

    workflow_id: str
    yaml: str
    definition: WorkflowDefinition


class VersionPage(ApiModel):
    """One page of versions, newest first."""

    versions: list[VersionSummary]
    next_cursor: str | None


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


class DefinitionChange(ApiModel):
    """One difference between two definitions."""

    path: str = Field(description="For example `agents.writer.goal`; agents and tasks are identified by key.")
    kind: ChangeKind
    before: Any | None = Field(description="null if added.")
    after: Any | None = Field(description="null if removed.")


class VersionDiff(ApiModel):
    from_version: int
    to_version: int
    text: str = Field(description="Unified diff of the two texts; empty if they are equal.")
    changes: list[DefinitionChange] = Field(description="Empty if only comments or layout differ.")


class ExportFormat(StrEnum):
    YAML = "yaml"
    CREWAI = "crewai"


class WorkflowImport(ApiModel):
    """A document, the two YAML files of a CrewAI project, or all of its text files."""

    yaml: str | None = Field(None, description="A workflow document, stored unchanged.")
    agents_yaml: str | None = Field(None, description="The text of CrewAI's `config/agents.yaml`.")
    tasks_yaml: str | None = Field(None, description="The text of CrewAI's `config/tasks.yaml`.")
    files: dict[str, str] | None = Field(
        None, max_length=2_000, description="The texts of a CrewAI project's files, by path in the project."
    )
    name: str | None = Field(
        None, min_length=1, max_length=200, description="Name of the new workflow; only with the two files."
    )
    note: str | None = Field(None, max_length=500, pattern=r"^[^\x00]*$", description=NOTE)

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        pair = (self.agents_yaml, self.tasks_yaml)
        given = [self.yaml is not None, self.files is not None, any(text is not None for text in pair)]
        if sum(given) != 1 or (given[2] and None in pair):
            raise ValueError("send either `yaml`, or `files`, or both `agentsYaml` and `tasksYaml`")
        if self.files is not None and self.name is not None:
            raise ValueError("`name` can be combined only with `agentsYaml` and `tasksYaml`")
        if self.yaml is not None and self.name is not None:
            raise ValueError("`name` is part of the document; it cannot be combined with `yaml`")
        return self


class UploadDigest(ApiModel):
    """Identifies an uploaded file for idempotency."""

    sha256: str


class ImportSelection(ApiModel):
    """Identifies an upload of which only some crews are imported."""

    upload: dict[str, Any]
    crews: list[str]


class RestoreRequest(ApiModel):
    """Identifies a request to restore a version for idempotency."""

    workflow_id: str
    number: int
    expected: int | None
