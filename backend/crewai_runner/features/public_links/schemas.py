"""API schemas of public links, and what they show of a run."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue, SecretStr

from crewai_runner.core.api_model import ApiModel
from crewai_runner.db.tables.public_links import PublicLinkRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import RunResult, RunState, TaskState
from crewai_runner.features.runs.schemas import RunTaskRead

MAX_DAYS = 90


class PublicLinkCreate(ApiModel):
    """What people without an account may see of a run, besides its outputs."""

    days: int = Field(7, ge=1, le=MAX_DAYS, description="Days after which the link expires.")
    shows_inputs: bool = False
    shows_prompts: bool = Field(
        default=False, description="The descriptions and expected outputs of the tasks."
    )


class PublicLinkRead(ApiModel):
    id: str
    shows_inputs: bool
    shows_prompts: bool
    created_by: str
    created_at: datetime
    expires_at: datetime


class CreatedPublicLink(ApiModel):
    """A new link. Its path is shown this once and cannot be read again."""

    public_link: PublicLinkRead
    path: str = Field(description="The path of the link on this server; the token is in its fragment.")


class PublicLinkList(ApiModel):
    public_links: list[PublicLinkRead]


class SharedRunRequest(ApiModel):
    """The token is in the body: addresses are logged in many places."""

    token: Annotated[SecretStr, Field(max_length=200)]


class SharedOutput(ApiModel):
    raw: str
    json_output: JsonValue = None


class SharedTask(ApiModel):
    key: str
    agent: str | None
    status: TaskState
    started_at: datetime | None
    finished_at: datetime | None
    output: SharedOutput | None
    description: str | None = Field(description="Null unless the link shows prompts.")
    expected_output: str | None = Field(description="Null unless the link shows prompts.")


class SharedRun(ApiModel):
    """What a public link shows of a run. It names neither people nor models nor costs."""

    workflow_name: str
    status: RunState
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    active_seconds: float
    error_code: str | None
    result: SharedOutput | None
    tasks: list[SharedTask]
    inputs: dict[str, JsonValue] | None = Field(description="Null unless the link shows inputs.")
    expires_at: datetime = Field(description="When the link expires.")


def to_shared_run(link: PublicLinkRow, run: RunRow, tasks: list[RunTaskRead]) -> SharedRun:
    """Build what the link shows, field by field: a new field of runs is not shown by itself."""
    result = None if run.result is None else RunResult.model_validate(run.result)
    return SharedRun(
        workflow_name=run.workflow_name,
        status=RunState(run.state),
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        active_seconds=run.active_seconds,
        error_code=None if run.error is None else run.error.get("code"),
        result=None if result is None else SharedOutput(raw=result.raw, json_output=result.json_output),
        tasks=[_to_shared_task(link, run, task) for task in tasks],
        inputs=run.inputs if link.shows_inputs else None,
        expires_at=link.expires_at,
    )


def _to_shared_task(link: PublicLinkRow, run: RunRow, task: RunTaskRead) -> SharedTask:
    defined = next((one for one in run.parsed_definition.tasks if one.key == task.key), None)
    output = task.result
    return SharedTask(
        key=task.key,
        agent=task.agent,
        status=task.status,
        started_at=task.started_at,
        finished_at=task.finished_at,
        output=None if output is None else SharedOutput(raw=output.raw, json_output=output.json_output),
        description=defined.description if defined is not None and link.shows_prompts else None,
        expected_output=defined.expected_output if defined is not None and link.shows_prompts else None,
    )
