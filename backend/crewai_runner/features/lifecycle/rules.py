"""What state transitions change in a run. Pure."""

from datetime import datetime
from typing import Any

from crewai_runner.domain.run import RunResult, RunState
from crewai_runner.domain.run_event_payloads import QueueReason, RunQueuedData, RunStartedData
from crewai_runner.domain.run_events import RunEvent, RunQueued, RunResumed, RunStarted


def queue_event(workflow_id: str | None, attempt: int, reason: QueueReason) -> RunQueued:
    """Return the event of an attempt that is queued."""
    return RunQueued(data=RunQueuedData(workflow_id=workflow_id, attempt=attempt, reason=reason))


def begin_columns(fencing_token: int, claim: str | None, at: datetime) -> dict[str, Any]:
    """Return the columns of a run whose attempt begins, after the last one with `fencing_token`."""
    return {
        "state": RunState.RUNNING,
        "fencing_token": fencing_token + 1,
        "claim": claim,
        "attempt_events": 0,
        "attempt_started_at": at,
    }


def begin_event(attempt: int, engine: str, at: datetime, *, native: bool, first: bool) -> RunEvent:
    """Return the event of an attempt that begins; `first` if the run has not been running before."""
    started = RunStartedData(attempt=attempt, engine=engine, native=native)
    return RunStarted(at=at, data=started) if first else RunResumed(at=at, data=started)


def finish_columns(state: RunState, at: datetime) -> dict[str, Any]:
    """Return the columns of a run that ends."""
    return {"state": state, "wait_reason": None, "finished_at": at, "events_ended_at": at}


def dump_result(result: RunResult) -> dict[str, Any]:
    return result.model_dump(mode="json", by_alias=True)
