"""API shapes of starting, stopping and steering runs, the first version's included."""

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


class RunStart(ApiModel):
    """Either a definition inline (`workflow`: YAML text or a JSON document) or a saved `workflowId`."""

    workflow: str | dict[str, JsonValue] | None = Field(
        None, description="A workflow document: YAML text, or the same as JSON."
    )
    workflow_id: str | None = Field(None, max_length=64)
    version: int | None = Field(
        None, ge=1, le=2**31 - 1, description="Of the saved workflow; the newest when absent."
    )
    inputs: JsonObject = Field(default_factory=dict, description="Values for the typed inputs.")
    provider_config: ProviderCreate | None = Field(
        None, description="A provider for this run only; kept in memory, never stored."
    )
    budget: Budget | None = None
    metadata: JsonObject = Field(default_factory=dict, max_length=50)


class RunStartAnswer(ApiModel):
    """`workflowId` names the execution, as in the first version; `runId` is the same."""

    workflow_id: str
    run_id: str
    status: Literal["started"] = "started"
    message: str
    warnings: list[str] = Field(default_factory=list)


class PreflightProblem(ApiModel):
    """One reason why the run would be refused."""

    code: str = Field(description="A stable slug such as `unknown-agent` or `model-not-registered`.")
    message: str = Field(description="What is wrong and how to mend it.")
    where: str | None = Field(description="A pointer into the request, such as `/inputs/topic`.")


class PreflightModel(ApiModel):
    """A model that the run would use."""

    name: str = Field(description="As the workflow or the default names it.")
    type: ModelKind
    provider: ModelProvider | None = Field(description="null when the model is not registered.")
    used_by: list[str] = Field(
        description="Keys of agents; `manager` for the manager that a hierarchical crew is given."
    )
    problem: PreflightProblem | None


class RunPreflight(ApiModel):
    """What a start with the same request would meet."""

    ready: bool = Field(description="Whether the run would be accepted.")
    models: list[PreflightModel]
    problems: list[PreflightProblem] = Field(description="Everything that stands in the way, all at once.")
    warnings: list[str] = Field(description="What would not keep the run from starting.")
    budget: Budget = Field(description="What the run might spend: the merge_budgets of its limits.")
    estimated_calls: int | None = Field(
        description="Model calls at the least, one a task; tools, guardrails and delegation come on top."
    )


class RunAnswer(ApiModel):
    run: RunRead


class StopRequest(ApiModel):
    """For `POST /workflows/stop`; a `wf_…` id means that workflow's newest run."""

    workflow_id: str = Field(
        max_length=64, validation_alias=AliasChoices("workflowId", "workflow_id", "runId")
    )
    mode: StopMode = StopMode.NOW


class StopBody(ApiModel):
    mode: StopMode = Field(StopMode.NOW, description="`now`, or `after-step`: let the call at hand end.")


class StopAnswer(ApiModel):
    workflow_id: str
    run_id: str
    status: RunState
    message: str
    receipt: StopReceipt | None = Field(description="null while the run is still stopping.")


class RetryBody(ApiModel):
    """A new run of the same definition; other inputs may be given."""

    inputs: JsonObject | None = None
    provider_config: ProviderCreate | None = None


class ResumeBody(ApiModel):
    """Go on from the last finished task; a raised budget, when that is what the run waits for."""

    budget: Budget | None = None
    provider_config: ProviderCreate | None = None


class ForkBody(ApiModel):
    """A new run that takes over the outputs of the tasks before `fromTask`."""

    from_task: str = Field(max_length=200)
    inputs: JsonObject | None = None
    provider_config: ProviderCreate | None = None


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
    """The first version's view of a run."""

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
