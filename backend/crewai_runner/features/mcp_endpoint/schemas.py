"""The arguments and results of the tools."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from crewai_runner.core.text import StorableText
from crewai_runner.domain.run import RunState, StopMode

RUN_ID = "^run_[0-9A-Za-z]+$"
RunId = Annotated[
    str, Field(max_length=64, pattern=RUN_ID, description="From a started run or `list_runs`: `run_…`.")
]


class ToolArguments(BaseModel):
    """Arguments of a tool. Unknown ones are errors."""

    model_config = ConfigDict(extra="forbid")


class ListRunsArguments(ToolArguments):
    status: RunState | None = Field(None, description="Only runs in this state.")
    workflow: str | None = Field(
        None, max_length=80, pattern="^[0-9A-Za-z_-]+$", description="Only runs of the workflow of this tool."
    )
    limit: int = Field(20, ge=1, le=50, description="At most this many runs, newest first.")
    cursor: str | None = Field(
        None, max_length=1000, description="`next_cursor` of the previous page; omit it for the first one."
    )


class GetRunArguments(ToolArguments):
    run_id: RunId


class StopRunArguments(ToolArguments):
    run_id: RunId
    mode: StopMode = Field(
        StopMode.NOW, description="`now`, or `after-step`: let the current model call finish."
    )


class AnswerApprovalArguments(ToolArguments):
    approval_id: str = Field(
        max_length=64, pattern="^appr_[0-9A-Za-z]+$", description="From `get_run`: `appr_…`."
    )
    action: Literal["approve", "reject", "revise", "answer"] = Field(
        description="`approve` accepts the output, `revise` returns it to the agent with feedback, `answer` "
        "answers a question, `reject` fails the run."
    )
    feedback: StorableText | None = Field(None, max_length=100_000, description="Required for `revise`.")
    edited: StorableText | None = Field(
        None, max_length=1_000_000, description="Only with `approve`: replaces the output."
    )
    answer: StorableText | None = Field(None, max_length=100_000, description="Required for `answer`.")


class RunControls(ToolArguments):
    """Arguments of a workflow's tool that are no inputs: no input can have a name with a dot."""

    wait: bool = True
    key: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")


class OpenApproval(BaseModel):
    """What a person is asked."""

    approval_id: str
    kind: str
    task: str | None
    prompt: str
    output: str
    may_answer: bool
    actions: list[str]


class RunUsageSummary(BaseModel):
    llm_calls: int
    tool_calls: int
    total_tokens: int | None = Field(description="null if no model call reported it.")
    cost: str | None = Field(description="With its currency, such as `0.0123 USD`.")


class RunReport(BaseModel):
    """What a tool says of a run: its result, or how far it is and what to call next."""

    run_id: str
    workflow: str
    state: RunState
    wait_reason: str | None = None
    approval: OpenApproval | None = None
    tasks_completed: int
    tasks_total: int
    output: str | None = None
    json_output: Any | None = None
    is_shortened: bool = Field(False, description="Whether outputs were too long to be sent as they are.")
    error: str | None = None
    usage: RunUsageSummary
    next_step: str | None = Field(None, description="What to call next, while the run has not finished.")
