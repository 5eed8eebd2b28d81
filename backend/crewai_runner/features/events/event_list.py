"""Lists the stored events of a run as they were serialized, as streams do: they are not parsed."""

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import to_json
from sqlalchemy import Connection

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.principal import Principal
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.events.list_repository import EventListRepository
from crewai_runner.features.runs.errors import RunNotFound


class EventListService:
    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader

    async def list_page(self, principal: Principal, run_id: str, after: int, limit: int) -> bytes:
        """Return up to `limit` events with a number above `after` as the JSON of an `EventPage`.

        Raises RunNotFound.
        """

        def read(connection: Connection) -> bytes:
            events = EventListRepository(connection)
            run = events.get_run(run_id, principal.workspace_id)
            if run is None:
                raise RunNotFound(run_id)
            return dump_event_page(events.list_frames(run_id, after, limit), *run)

        if not has_prefix(run_id, Prefix.RUN):
            raise RunNotFound(run_id)
        return await self._reader.run(read)


def dump_event_page(frames: Sequence[str], last_seq: int, events_deleted_at: datetime | None) -> bytes:
    """Return the JSON of an `EventPage`."""
    deleted_at = to_json(events_deleted_at).decode()
    text = f'{{"events":[{",".join(frames)}],"lastSeq":{last_seq},"eventsDeletedAt":{deleted_at}}}'
    return text.encode()
