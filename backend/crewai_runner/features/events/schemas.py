"""API schemas of the event stream."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.run import RunState
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Usage
from crewai_runner.features.runs.schemas import EVENTS_DELETED, RunTaskRead


class EventPage(ApiModel):
    """Stored events in order. For the next page, pass the last event's `seq` as `after`."""

    events: list[RunEvent]
    last_seq: int = Field(description="Sequence number of the run's newest event, also if it was deleted.")
    events_deleted_at: datetime | None = Field(None, description=EVENTS_DELETED)


class SnapshotData(ApiModel):
    """The state of the run as of event `seq`."""

    status: RunState
    tasks: list[RunTaskRead]
    usage: Usage
    events_deleted_at: datetime | None = Field(None, description=EVENTS_DELETED)


class RunSnapshot(ApiModel):
    """The first event of every stream; it has no id."""

    type: Literal["run.snapshot"] = "run.snapshot"
    seq: int
    run_id: str
    at: datetime
    data: SnapshotData
