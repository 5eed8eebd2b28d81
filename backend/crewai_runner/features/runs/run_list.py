"""Lists runs: one query of columns, then JSON, without objects in between."""

from collections.abc import Sequence

from pydantic_core import to_json
from sqlalchemy import Connection

from crewai_runner.core.ids import Prefix
from crewai_runner.core.paging import decode_id_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.runs.list_repository import RunListRepository
from crewai_runner.features.runs.repository import build_conditions
from crewai_runner.features.runs.schemas import SelectedRow
from crewai_runner.features.runs.service import RunFilter
from crewai_runner.features.runs.summary_json import dump_run_summary


class RunListService:
    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader

    async def list_page(
        self, principal: Principal, run_filter: RunFilter, limit: int, cursor: str | None
    ) -> bytes:
        """Return one page of matching runs, newest first, as the JSON of a `RunPage`.

        Raises BadRequest for an invalid cursor.
        """
        before = decode_id_cursor(cursor, Prefix.RUN)
        conditions = build_conditions(
            states=run_filter.states,
            workflow_id=run_filter.workflow_id,
            project_id=run_filter.project_id,
            since=run_filter.since,
            until=run_filter.until,
        )

        def read(connection: Connection) -> bytes:
            rows = RunListRepository(connection).list_page(
                principal.workspace_id, conditions, run_filter.metadata, run_filter.text, before, limit + 1
            )
            return dump_run_page(rows, limit)

        return await self._reader.run(read)


def dump_run_page(rows: Sequence[SelectedRow], limit: int) -> bytes:
    """Return the JSON of a `RunPage` from up to `limit` + 1 rows of `SUMMARY_COLUMNS`."""
    runs = [dump_run_summary(row) for row in rows[:limit]]
    next_cursor = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return to_json({"runs": runs, "nextCursor": next_cursor})
