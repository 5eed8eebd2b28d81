"""Request and response schemas of starting, stopping and resuming runs."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AliasChoices, Field, JsonValue

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import JsonObject
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.provider import ModelKind
from crewai_runner.domain.run import RunFailure, RunState, StopMode, StopReceipt, TaskState
from crewai_runner.domain.usage import Usage
from crewai_runner.features.models.schemas import ModelProvider
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.runs.schemas import RunRead

INLINE_PROVIDER = (
    "A provider for this run only; kept in memory, never stored. Needs the scope `providers:write`."
)


class RunStart(ApiModel):
    """A definition inline (`workflow`: YAML text or JSON), a saved `workflowId`, or a `projectId`."""

    workflow: str | dict[str, JsonValue] | None = Field(
        None,
        description="A workflow document: YAML text, or the same as JSON. Needs the scope `workflows:write`.",
    )
    workflow_id: str | None = Field(None, max_length=64)
    version: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Of the workflow or project; the newest when absent."
    )
    project_id: str | None = Field(
        None, max_length=64, description="A project whose code to run, instead of a workflow."
    )
    inputs: JsonObject = Field(default_factory=dict, description="Values for the typed inputs.")
    provider_config: ProviderCreate | None = Field(None, description=INLINE_PROVIDER)
    budget: Budget | None = None
    metadata: JsonObject = Field(default_factory=dict, max_length=50)


class RunStartAnswer(ApiModel):
    """`workflowId` is the id of the run, for compatibility; `runId` is the same."""

    workflow_id: str
    run_id: str
    status: Literal["started"] = "started"
    message: str
    warnings: list[str] = Field(default_factory=list)


class PreflightProblem(ApiModel):
    """One reason why the run would be rejected."""

    code: str = Field(description="A stable slug such as `unknown-agent` or `model-not-registered`.")
    message: str = Field(description="What is wrong and how to fix it.")
    where: str | None = Field(description="A pointer into the request, such as `/inputs/topic`.")
    remedy: str | None = Field(
        None, description="The path in the dashboard where it can be fixed, such as `/tools?add=search`."
    )


class PreflightModel(ApiModel):
    """A model that the run would use."""

    name: str = Field(description="As the workflow or the default names it.")
    type: ModelKind
    provider: ModelProvider | None = Field(description="null when the model is not registered.")
    used_by: list[str] = Field(
        description="Keys of agents; `manager` for the manager of a hierarchical crew."
    )
    problem: PreflightProblem | None


class RunPreflight(ApiModel):
    """What a start with the same request would find."""

    ready: bool = Field(description="Whether the run would be accepted.")
    models: list[PreflightModel]
    problems: list[PreflightProblem] = Field(description="Everything that prevents the start.")
    warnings: list[str] = Field(description="Warnings that do not prevent the start.")
    budget: Budget = Field(description="What the run might spend: the merge_budgets of its limits.")
    estimated_calls: int | None = Field(
        description="Minimum of model calls, one per task; tools, guardrails and delegation add more."
    )


class RunAnswer(ApiModel):
    run: RunRead

    @property
    def run_id(self) -> str:
        return self.run.id


class StopRequest(ApiModel):
    """For `POST /workflows/stop`; a `wf_…` id stands for that workflow's newest run."""

    workflow_id: str = Field(
        max_length=64, validation_alias=AliasChoices("workflowId", "workflow_id", "runId")
    )
    mode: StopMode = StopMode.NOW


class StopBody(ApiModel):
    mode: StopMode = Field(
        StopMode.NOW, description="`now`, or `after-step`: let the current model call finish."
    )


class StopAnswer(ApiModel):
    workflow_id: str
    run_id: str
    status: RunState
    message: str
    receipt: StopReceipt | None = Field(description="null while the run is still stopping.")


class RetryBody(ApiModel):
    """A new run of the same definition; other inputs may be given."""

    inputs: JsonObject | None = None
    provider_config: ProviderCreate | None = Field(None, description=INLINE_PROVIDER)


class ResumeBody(ApiModel):
    """Continue after the last finished task; with a raised budget if the run waits for one."""

    budget: Budget | None = None
    provider_config: ProviderCreate | None = Field(None, description=INLINE_PROVIDER)


class ForkBody(ApiModel):
    """A new run that reuses the outputs of the tasks before `fromTask`."""

    from_task: str = Field(max_length=200)
    inputs: JsonObject | None = None
    provider_config: ProviderCreate | None = Field(None, description=INLINE_PROVIDER)


class AgentStatus(ApiModel):
    name: str
    status: Literal["idle", "working", "completed", "failed"]
    task: str | None = None


class TaskStatus(ApiModel):
    name: str
    status: TaskState
    agent: str | None
    started_at: datetime | None
    finished_at: datetime | None


class WorkflowStatus(ApiModel):
    """A run in the format of the first API version."""

    workflow_id: str
    run_id: str
    status: RunState
    agents: list[AgentStatus]
    tasks: list[TaskStatus]
    current_task: str | None
    progress: int = Field(ge=0, le=100)
    usage: Usage
    result: Any | None = Field(None, description="The final output's text once completed.")
    error: RunFailure | None = None
    queued_because: str | None = None
