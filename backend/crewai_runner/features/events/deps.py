"""Dependencies of the event endpoints."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.events.event_list import EventListService
from crewai_runner.features.events.feed_registry import FeedRegistry
from crewai_runner.features.events.run_event_stream import RunEventStream
from crewai_runner.http.deps import Provided

Reader = Annotated[Principal, Depends(Requires(Scope.RUNS_READ))]
MAX_SEQ = 2**31 - 1
MAX_SILENT_SECONDS = 10.0
"""The rights of a reader are checked when something is sent: within 15 s at the latest."""


@dataclass(frozen=True, slots=True)
class EventDeps:
    """Dependencies of the event services, built by the container."""

    reader: SnapshotReader
    feeds: FeedRegistry
    ping_seconds: float


_Deps = Annotated[EventDeps, Depends(Provided(EventDeps))]


async def _event_list(deps: _Deps) -> EventListService:
    return EventListService(deps.reader)


async def _event_stream(deps: _Deps) -> RunEventStream:
    return RunEventStream(deps.reader, deps.feeds, min(deps.ping_seconds, MAX_SILENT_SECONDS))


async def _after(
    after: Annotated[int, Query(ge=0, le=MAX_SEQ, description="Only events with a higher `seq`.")] = 0,
    last_event_id: Annotated[
        str | None,
        Header(max_length=20, description="The last `id` received; overrides `after`."),
    ] = None,
) -> int:
    if last_event_id is not None and last_event_id.isdecimal() and int(last_event_id) <= MAX_SEQ:
        return int(last_event_id)
    return after


EventList = Annotated[EventListService, Depends(_event_list)]
EventStream = Annotated[RunEventStream, Depends(_event_stream)]
After = Annotated[int, Depends(_after)]
