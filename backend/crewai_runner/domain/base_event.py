"""What every event of a run has."""

from datetime import datetime

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.clock import now
from crewai_runner.core.outside_values import Identifier


class Event(ApiModel):
    """The fields of every event. `seq` counts from 1 per run without gaps; 0 means not stored."""

    seq: int = 0
    run_id: str = ""
    at: datetime = Field(default_factory=now)
    task_key: Identifier | None = None
    agent: Identifier | None = None
