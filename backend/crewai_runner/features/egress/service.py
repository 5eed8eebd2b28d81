"""The connections of runs, for readers."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.paging import decode_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.run_connection import ConnectionResult, RunConnection
from crewai_runner.features.egress.repository import ConnectionRepository
from crewai_runner.features.egress.rules import Place, count_requests, merge_documents, sum_by_host
from crewai_runner.features.egress.schemas import (
    HostTraffic,
    RunConnectionPage,
    RunConnectionRead,
    RunTraffic,
)
from crewai_runner.features.runs.errors import RunNotFound

MAX_HOSTS = 500
_BEFORE_ALL = (-1, -1)
_MAX_INT = 2**31


class EgressService:
    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader

    async def list_page(
        self, principal: Principal, run_id: str, cursor: str | None, limit: int
    ) -> RunConnectionPage:
        """Return a page of a run's connections, with the sums of all. Raises RunNotFound, BadRequest."""
        if not has_prefix(run_id, Prefix.RUN):
            raise RunNotFound(run_id)
        after = _decode(cursor)

        def read(connection: Connection) -> RunConnectionPage:
            connections = ConnectionRepository(connection)
            if not connections.has_run(run_id, principal.workspace_id):
                raise RunNotFound(run_id)
            return _make_page(merge_documents(connections.list_documents(run_id)), after, limit)

        return await self._reader.run(read)


def _make_page(entries: Sequence[tuple[Place, RunConnection]], after: Place, limit: int) -> RunConnectionPage:
    made = [connection for _, connection in entries]
    shown = [entry for entry in entries if entry[0] > after][: limit + 1]
    has_more = len(shown) > limit
    return RunConnectionPage(
        connections=[_to_read(place, connection) for place, connection in shown[:limit]],
        hosts=[HostTraffic.model_validate(total) for total in sum_by_host(made)[:MAX_HOSTS]],
        total=RunTraffic(
            requests=count_requests(made),
            refused=count_requests(made, only=ConnectionResult.REFUSED),
            sent_bytes=sum(connection.sent_bytes for connection in made),
            received_bytes=sum(connection.received_bytes for connection in made),
        ),
        next_cursor=encode_cursor(*shown[limit - 1][0]) if has_more else None,
    )


def _to_read(place: Place, connection: RunConnection) -> RunConnectionRead:
    token, number = place
    return RunConnectionRead(attempt=token, number=number, **asdict(connection))


def _decode(cursor: str | None) -> Place:
    if cursor is None:
        return _BEFORE_ALL
    token, number = decode_cursor(cursor, 2)
    if not (isinstance(token, int) and isinstance(number, int) and max(abs(token), abs(number)) < _MAX_INT):
        raise BadRequest("The cursor is not valid; start again without it.")
    return token, number
