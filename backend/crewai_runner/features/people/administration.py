"""All people of a server, for its administrator."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.roles import SERVER_KEY, WorkspaceRole
from crewai_runner.db.tables.people import MembershipRow, PersonRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.people.errors import AlreadyMember
from crewai_runner.features.people.privacy import PrivacyService
from crewai_runner.features.people.repository import AccountRepository


class PeopleAdministration:
    """Finds, disables and removes accounts, whatever workspaces they belong to."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._accounts = AccountRepository(session)

    async def find(self, email: str) -> PersonRow | None:
        return await self._accounts.find_by_email(email.strip().lower())

    async def list_all(self) -> Sequence[PersonRow]:
        return await self._accounts.list_all()

    async def list_workspaces(self, person_id: str) -> Sequence[tuple[WorkspaceRow, str]]:
        return await self._accounts.list_workspaces(person_id)

    async def add_to_workspace(self, person: PersonRow, workspace_id: str, role: WorkspaceRole) -> None:
        """Add someone who has an account to a workspace. Raises AlreadyMember."""
        if workspace_id in [row.id for row, _ in await self.list_workspaces(person.id)]:
            raise AlreadyMember
        await self._accounts.add_member(
            MembershipRow(workspace_id=workspace_id, person_id=person.id, role=role, created_by=SERVER_KEY)
        )

    async def set_disabled(self, person: PersonRow, *, is_disabled: bool) -> None:
        """Keep someone from signing in, or let them again; disabling ends all sessions."""
        person.disabled_at = (person.disabled_at or now()) if is_disabled else None
        if is_disabled:
            await self._accounts.end_sessions(person.id)

    async def remove(self, person: PersonRow) -> str:
        """Remove someone for good, also the last owner of a workspace; return their pseudonym."""
        return await PrivacyService(self._session, person.id).remove_row(person)
