"""The list of workflows with their newest runs: two queries of columns, then JSON without any objects."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection

from crewai_runner.core.outside_values import clean_model
from crewai_runner.core.paging import Page
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.insights.schemas import WorkflowPage
from crewai_runner.features.runs.schemas import RunBrief
from crewai_runner.features.runs.service import list_newest_by_workflow
from crewai_runner.features.workflows.schemas import ListedWorkflow, WorkflowSort
from crewai_runner.features.workflows.service import list_workflows

MAX_RECENT_RUNS = 12


class WorkflowListService:
    def __init__(self, reader: SnapshotReader, mask: SecretMask) -> None:
        self._reader, self._mask = reader, mask

    async def list_page(
        self, principal: Principal, text: str | None, sort: WorkflowSort, limit: int, cursor: str | None
    ) -> bytes:
        """Return one page as the JSON of a `WorkflowPage`, without runs if the principal may not read them.

        Raises BadRequest for an invalid cursor.
        """
        mask = self._mask.scoped(principal.workspace_id)

        def read(connection: Connection) -> bytes:
            page = list_workflows(connection, principal, text, sort, limit, cursor)
            ids = [workflow.id for workflow in page.items] if principal.has_scope(Scope.RUNS_READ) else []
            newest = list_newest_by_workflow(connection, principal, ids, MAX_RECENT_RUNS)
            body = dump_workflow_page(page, newest)
            if mask.contains_secret(body.decode()):  # a value can become one after the document was saved
                body = clean_model(WorkflowPage.model_validate_json(body), mask).model_dump_json().encode()
            return body

        return await self._reader.run(read)


def dump_workflow_page(page: Page[ListedWorkflow], newest: Mapping[str, Sequence[RunBrief]]) -> bytes:
    """Return the JSON of a `WorkflowPage`; `newest` holds the runs of each workflow, newest first."""
    workflows = [_dump_workflow(workflow, newest.get(workflow.id, ())) for workflow in page.items]
    return to_json({"workflows": workflows, "nextCursor": page.next_cursor})


def _dump_workflow(workflow: ListedWorkflow, newest: Sequence[RunBrief]) -> dict[str, Any]:
    return {
        "id": workflow.id,
        "name": workflow.name,
        "slug": workflow.slug,
        "description": workflow.description,
        "version": workflow.version,
        "createdAt": workflow.created_at,
        "updatedAt": workflow.updated_at,
        "lastRun": _dump_last_run(newest[0]) if newest else None,
        "recentRuns": [
            {
                "id": run.id,
                "status": run.status,
                "seconds": None if run.finished_at is None else run.active_seconds,
            }
            for run in reversed(newest)
        ],
    }


def _dump_last_run(run: RunBrief) -> dict[str, Any]:
    return {
        "id": run.id,
        "status": run.status,
        "createdAt": run.created_at,
        "finishedAt": run.finished_at,
    }
