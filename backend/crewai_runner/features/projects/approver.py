"""Who is asked when the code of a project asks a person."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.member_repository import find_member
from crewai_runner.db.tables.projects import ProjectRow
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.features.projects.errors import ProjectInvalid


async def set_approver(session: AsyncSession, row: ProjectRow, approver: str | None) -> None:
    """Address the questions of a project that is locked. Raises ProjectInvalid for someone unknown."""
    person_id = await _find_person(session, row, approver)
    if approver is not None and person_id is None:
        raise ProjectInvalid(
            "/approver", f"{approver} is not in this workspace. Invite them, or choose a role."
        )
    before = await _find_person(session, row, row.approver)
    # The audit log names people by their ids only.
    get_entry().add_change("project.approver", before, person_id)
    row.approver = approver


async def _find_person(session: AsyncSession, row: ProjectRow, approver: str | None) -> str | None:
    """Return a role as it is, and the id of a person in place of the address."""
    if approver is None or "@" not in approver:
        return approver
    return await find_member(session, row.workspace_id, approver)
