"""Who is asked for an approval, with a warning where that is someone unknown."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.db.member_repository import find_member
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run_event_payloads import WarningRaisedData
from crewai_runner.domain.run_events import WarningRaised
from crewai_runner.features.approvals.rules import find_approver
from crewai_runner.features.lifecycle.service import LifecycleService


async def find_addressee(
    session: AsyncSession, lifecycle: LifecycleService, run: RunRow, task_key: str
) -> tuple[str | None, str | None]:
    """Return the role or the person that is asked; owners in place of someone unknown."""
    approver = find_approver(run.parsed_definition, task_key)
    if approver is None or "@" not in approver:
        return approver, None
    person_id = await find_member(session, run.workspace_id, approver)
    if person_id is not None:
        return None, person_id
    message = f"{approver} is not in this workspace: the owners are asked for the approval instead."
    data = WarningRaisedData(code="approver-unknown", message=message)
    await lifecycle.emit(run, WarningRaised(task_key=task_key or None, data=data))
    return WorkspaceRole.OWNER, None
