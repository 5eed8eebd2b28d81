"""The queries of lists of runs, on a connection of the snapshot reader."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    TextualSelect,
    bindparam,
    case,
    cast,
    func,
    select,
    text,
    type_coerce,
)

from crewai_runner.db.base import JsonTimestamp, table_of
from crewai_runner.db.subject_name_repository import subject_name
from crewai_runner.db.tables.run_metadata import INDEXED_LENGTH, RunMetadataRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.features.runs.schemas import SelectedRow
from crewai_runner.features.runs.search_repository import RunSearch

_RUNS, _METADATA = table_of(RunRow).c, table_of(RunMetadataRow).c
SUMMARY_COLUMNS = (
    _RUNS.id,
    _RUNS.workflow_id,
    _RUNS.workflow_version,
    _RUNS.workflow_name,
    _RUNS.project_id,
    _RUNS.project_version,
    _RUNS.state,
    _RUNS.wait_reason,
    _RUNS.attempt,
    _RUNS.prompt_tokens,
    _RUNS.completion_tokens,
    _RUNS.cached_tokens,
    _RUNS.total_tokens,
    _RUNS.llm_calls,
    _RUNS.tool_calls,
    _RUNS.cost_amount,
    _RUNS.cost_currency,
    _RUNS.calls_without_usage,
    _RUNS.calls_without_cost,
    _RUNS.error,
    _RUNS.metadata,
    _RUNS.seconds_at_work,
    _RUNS.created_by,
    subject_name(_RUNS.created_by).label("created_by_name"),
    type_coerce(_RUNS.created_at, JsonTimestamp()).label("created_at"),
    type_coerce(_RUNS.started_at, JsonTimestamp()).label("started_at"),
    type_coerce(_RUNS.finished_at, JsonTimestamp()).label("finished_at"),
    _RUNS.execution_uuid.is_not(None).label("is_external"),
)
"""In the order of the fields of `RunSummary`."""
BRIEF_COLUMNS = (
    _RUNS.workflow_id,
    _RUNS.id,
    _RUNS.state,
    _RUNS.seconds_at_work,
    _RUNS.created_at,
    _RUNS.finished_at,
)
"""The workflow, then the fields of `RunBrief` in their order."""
# Run ids sort by creation time. SQLAlchemy remembers how it compiled a constant statement.
_SELECT_PAGE: Select[Any] = (
    select(*SUMMARY_COLUMNS)
    .where(_RUNS.workspace_id == bindparam("workspace_id"))
    .order_by(_RUNS.id.desc())
    .limit(bindparam("limit", type_=Integer))
)


class RunListRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_page(
        self,
        workspace_id: str,
        conditions: Sequence[ColumnElement[bool]],
        metadata: Mapping[str, str],
        text: str | None,
        before: str | None,
        limit: int,
    ) -> Sequence[SelectedRow]:
        """Return `SUMMARY_COLUMNS` of the newest runs after the page that ended with the run `before`."""
        values: dict[str, str | int] = {"workspace_id": workspace_id, "limit": limit}
        query = _SELECT_PAGE
        if text:
            query = select(*SUMMARY_COLUMNS).where(_RUNS.workspace_id == workspace_id)
        if conditions:
            query = query.where(*conditions)
        for key, value in metadata.items():
            query = query.where(_is_indexed(workspace_id, key, value))
            if max(len(key), len(value)) >= INDEXED_LENGTH:
                query = query.where(self._has_metadata(key, value))
        if text:
            search = RunSearch(self._connection, workspace_id, text)
            return search.list_page(query, before, limit, is_filtered=bool(conditions or metadata))
        if before is not None:
            query = query.where(_RUNS.id < before)
        rows: Sequence[SelectedRow] = self._connection.execute(query, values).all()
        return rows

    def list_newest_by_workflow(
        self, workspace_id: str, workflow_ids: Sequence[str], limit_each: int
    ) -> Sequence[SelectedRow]:
        """Return `BRIEF_COLUMNS` of the newest runs of each workflow, newest first, in one statement."""
        if not workflow_ids:
            return []
        values: dict[str, str | int] = {"workspace_id": workspace_id, "limit_each": limit_each}
        values |= {f"workflow_{number}": workflow_id for number, workflow_id in enumerate(workflow_ids)}
        rows: Sequence[SelectedRow] = self._connection.execute(
            _select_newest(len(workflow_ids)), values
        ).all()
        return rows

    def _has_metadata(self, key: str, value: str) -> ColumnElement[bool]:
        """Return a condition that compares a metadata value as text, so numbers and booleans match too."""
        if self._connection.dialect.name == "postgresql":
            matches: ColumnElement[bool] = _RUNS.metadata[key].as_string() == value
            return matches
        # SQLite does not compare numbers with text, and its JSON paths cannot contain a quoted key.
        entry = func.json_each(_RUNS.metadata).table_valued("key", "value", "type")
        stored = case((entry.c.type.in_(("true", "false")), entry.c.type), else_=cast(entry.c.value, Text))
        return select(entry.c.key).where(entry.c.key == key, stored == value).exists()


def _is_indexed(workspace_id: str, key: str, value: str) -> ColumnElement[bool]:
    """Return a condition that the index answers; it compares only the beginnings of key and value."""
    return _RUNS.id.in_(
        select(_METADATA.run_id).where(
            _METADATA.workspace_id == workspace_id,
            _METADATA.key == key[:INDEXED_LENGTH],
            _METADATA.value == value[:INDEXED_LENGTH],
        )
    )


@lru_cache(maxsize=32)
def _select_newest(count: int) -> TextualSelect:
    """Return the query of the newest runs of this many workflows: an index scan for each.

    A text, since SQLAlchemy would take longer to compare its expressions than the database to answer it.
    """
    names = ", ".join(column.name for column in BRIEF_COLUMNS)
    queries = (
        f"SELECT * FROM (SELECT {names} FROM runs WHERE workspace_id = :workspace_id"  # noqa: S608  # constants
        f" AND workflow_id = :workflow_{number} ORDER BY id DESC LIMIT :limit_each) AS newest_{number}"
        for number in range(count)
    )
    return text(" UNION ALL ".join(queries) + " ORDER BY id DESC").columns(*BRIEF_COLUMNS)
