"""API endpoints of the audit log. There is none that changes it."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.audit.deps import Audit, Filter
from crewai_runner.features.audit.schemas import AuditExportFormat, AuditPage
from crewai_runner.http.deps import LIMIT, Cursor, Limit
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/audit", tags=["audit"])

MEDIA_TYPES = {AuditExportFormat.CSV: "text/csv", AuditExportFormat.JSON_LINES: "application/x-ndjson"}
_DOWNLOADS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {kind: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()},
    }
}


@router.get("", responses=problems(BadRequest))
async def list_audit_entries(
    audit: Audit, wanted: Filter, limit: Limit = LIMIT, cursor: Cursor = None
) -> AuditPage:
    """List changes and refused attempts in the workspace, newest first.

    Administrators of the server also see what belongs to no workspace, such as failed sign-ins.
    """
    return await audit.list_page(wanted, limit, cursor)


@router.get("/export", response_class=StreamingResponse, responses=_DOWNLOADS)
async def export_audit_log(
    audit: Audit,
    wanted: Filter,
    export_format: Annotated[
        AuditExportFormat,
        Query(alias="format", description="`jsonl` can be verified, `csv` is for spreadsheets."),
    ] = AuditExportFormat.JSON_LINES,
) -> StreamingResponse:
    """Download all entries that match, the oldest first.

    `crewai-runner audit verify --file` checks a download in JSON lines without filters.
    """
    return StreamingResponse(
        audit.export(wanted, export_format),
        media_type=MEDIA_TYPES[export_format],
        headers={"Content-Disposition": f'attachment; filename="audit-log.{export_format}"'},
    )
