"""The query of the list of approval requests, on a connection of the snapshot reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    type_coerce,
)

from crewai_runner.db.base import JsonTimestamp, table_of
from crewai_runner.db.subject_name_repository import subject_name
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.db.tables.runs import ApprovalRow

_TABLE, _PEOPLE = table_of(ApprovalRow), table_of(PersonRow)
_APPROVALS = _TABLE.c
_COLUMNS = (
    _APPROVALS.id,
    _APPROVALS.run_id,
    _APPROVALS.kind,
    func.nullif(_APPROVALS.task_key, "").label("task_key"),
    _APPROVALS.agent,
    _APPROVALS.prompt,
    _APPROVALS.output,
    _APPROVALS.tool,
    _APPROVALS.arguments,
    _APPROVALS.parameters,
    _APPROVALS.edited_arguments,
    _APPROVALS.for_run,
    _APPROVALS.state,
    _APPROVALS.feedback,
    _APPROVALS.resolved_by,
    subject_name(_APPROVALS.resolved_by).label("resolved_by_name"),
    type_coerce(_APPROVALS.created_at, JsonTimestamp()).label("created_at"),
    type_coerce(_APPROVALS.expires_at, JsonTimestamp()).label("expires_at"),
    type_coerce(_APPROVALS.resolved_at, JsonTimestamp()).label("resolved_at"),
    _APPROVALS.assigned_role,
    _APPROVALS.assigned_person_id,
    _PEOPLE.c.name.label("assigned_person_name"),
)
"""In the order of the fields of `ApprovalRead`, without those that depend on the caller."""
_SELECT_PAGE: Select[Any] = (
    select(*_COLUMNS)
    .select_from(_TABLE.outerjoin(_PEOPLE, _PEOPLE.c.id == _APPROVALS.assigned_person_id))
    .where(_APPROVALS.workspace_id == bindparam("workspace_id"))
    .order_by(_APPROVALS.id.desc())
    .limit(bindparam("limit", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class AddresseeFilter:
    """Only requests that are addressed to someone, or only those that are not; see `rules.is_mine`."""

    person_id: str | None
    roles: Sequence[str]
    is_mine: bool

    def condition(self) -> ColumnElement[bool]:
        # Not null: a comparison with null would be neither true nor false.
        role = func.coalesce(_APPROVALS.assigned_role, "")
        person = func.coalesce(_APPROVALS.assigned_person_id, "")
        is_mine = or_(
            and_(person == "", or_(role == "", role.in_(self.roles))),
            and_(person != "", person == (self.person_id or "")),
        )
        return is_mine if self.is_mine else not_(is_mine)


class ApprovalListRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_page(
        self,
        workspace_id: str,
        state: str | None,
        run_id: str | None,
        before: str | None,
        limit: int,
        addressee: AddresseeFilter | None = None,
    ) -> Sequence[Any]:
        """Return the fields of `ApprovalRead` of the approvals with an id below `before`, newest first."""
        query = _SELECT_PAGE
        if state is not None:
            query = query.where(_APPROVALS.state == state)
        if run_id is not None:
            query = query.where(_APPROVALS.run_id == run_id)
        if before is not None:
            query = query.where(_APPROVALS.id < before)
        if addressee is not None:
            query = query.where(addressee.condition())
        return self._connection.execute(query, {"workspace_id": workspace_id, "limit": limit}).all()
