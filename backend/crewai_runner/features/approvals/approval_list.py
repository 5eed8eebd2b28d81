"""Lists approval requests: one query of columns, then JSON, without objects in between."""

from pydantic_core import to_json
from sqlalchemy import Connection

from crewai_runner.core.ids import Prefix
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.approvals.list_repository import AddresseeFilter, ApprovalListRepository
from crewai_runner.features.approvals.rules import is_mine, list_roles, may_answer
from crewai_runner.features.approvals.schemas import OF_CALLER, ApprovalRead

_NAMES = tuple(
    field.alias or name for name, field in ApprovalRead.model_fields.items() if name not in OF_CALLER
)


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
        *,
        mine: bool | None = None,
    ) -> bytes:
        """Return one page, newest first, as the JSON of an `ApprovalPage`.

        `mine`: only the caller's, or only those that are addressed to others.

        Raises BadRequest for an invalid cursor.
        """
        before = decode_id_cursor(cursor, Prefix.APPROVAL)
        roles = list_roles(principal)
        addressee = None if mine is None else AddresseeFilter(principal.person_id, roles, mine)

        def read(connection: Connection) -> bytes:
            rows = ApprovalListRepository(connection).list_page(
                principal.workspace_id, state, run_id, before, limit + 1, addressee
            )
            page = make_page(rows, limit, lambda row: str(row[0]))
            approvals = [
                {
                    **dict(zip(_NAMES, row, strict=True)),
                    "isMine": is_mine(principal, row.assigned_role, row.assigned_person_id),
                    "mayAnswer": may_answer(principal, row.assigned_role, row.assigned_person_id),
                }
                for row in page.items
            ]
            return to_json({"approvals": approvals, "nextCursor": page.next_cursor})

        return await self._reader.run(read)
