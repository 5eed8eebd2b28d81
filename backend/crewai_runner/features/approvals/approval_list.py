"""Lists approval requests: one query of columns, then JSON, without objects in between."""

from pydantic_core import to_json
from sqlalchemy import Connection

from crewai_runner.core.ids import Prefix
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.approvals.list_repository import ApprovalListRepository
from crewai_runner.features.approvals.schemas import ApprovalRead

_NAMES = tuple(field.alias or name for name, field in ApprovalRead.model_fields.items())


class ApprovalListService:
    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader

    async def list_page(
        self,
        principal: Principal,
        state: str | None,
        run_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> bytes:
        """Return one page, newest first, as the JSON of an `ApprovalPage`.

        Raises BadRequest for an invalid cursor.
        """
        before = decode_id_cursor(cursor, Prefix.APPROVAL)

        def read(connection: Connection) -> bytes:
            rows = ApprovalListRepository(connection).list_page(
                principal.workspace_id, state, run_id, before, limit + 1
            )
            page = make_page(rows, limit, lambda row: str(row[0]))
            approvals = [dict(zip(_NAMES, row, strict=True)) for row in page.items]
            return to_json({"approvals": approvals, "nextCursor": page.next_cursor})

        return await self._reader.run(read)
