"""What the client returns. Fields that are not described here are in `model_extra`, under the API's names."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

RunStatus = Literal["queued", "running", "waiting", "stopping", "completed", "failed", "stopped", "crashed"]
FINISHED: frozenset[RunStatus] = frozenset({"completed", "failed", "stopped", "crashed"})


class Answer(BaseModel):
    """An object of the API: a newer server may add fields, and values of an enumeration."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class StartedRun(Answer):
    run_id: str
    warnings: list[str] = []


class Failure(Answer):
    """Why a run failed. `code` is a stable slug such as `provider-auth`; `hint` says what to do about it."""

    code: str
    message: str
    hint: str | None = None


class Result(Answer):
    """The output of a run's last task; `json_output` if the task declares a schema."""

    raw: str
    json_output: Any = None


class Run(Answer):
    """A run. `usage` has tokens, calls and cost as the API describes them."""

    id: str
    workflow_name: str
    status: RunStatus | str
    wait_reason: str | None = None
    attempt: int
    inputs: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    error: Failure | None = None
    result: Result | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED


class Event(Answer):
    """An event of a run. `seq` counts from 1; it is 0 for what is not stored, such as live model output."""

    seq: int = 0
    type: str
    at: datetime | None = None
    task_key: str | None = None
    agent: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Workflow(Answer):
    id: str
    name: str
    slug: str
    version: int


class Problem(Answer):
    """A finding in a document. `line` and `column` count from 1."""

    line: int
    column: int
    path: str
    code: str
    message: str
    severity: str = "error"


class Validation(Answer):
    valid: bool
    problems: list[Problem]
