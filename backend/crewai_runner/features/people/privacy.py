"""Exports what is stored about a person, and removes someone for good."""

import secrets
from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.features.people.errors import LastOwner, PersonNotFound
from crewai_runner.features.people.privacy_repository import PrivacyRepository
from crewai_runner.features.people.privacy_schemas import (
    PersonalApproval,
    PersonalData,
    PersonalIdentity,
    PersonalKey,
    PersonalMessage,
    PersonalProjectVersion,
    PersonalRun,
    PersonalSession,
    PersonalWorkflowVersion,
    PersonalWorkspace,
    RemovedPerson,
)
from crewai_runner.features.people.repository import MemberRepository

Model = TypeVar("Model", bound=ApiModel)


class PrivacyService:
    """Acts on one person, whatever workspaces they belong to."""

    def __init__(self, session: AsyncSession, person_id: str) -> None:
        self._session, self._person_id = session, person_id
        self._rows = PrivacyRepository(session, person_id)

    async def export(self) -> PersonalData:
        """Return what is stored about the person. Raises PersonNotFound."""
        person, rows = await self._get_person(), self._rows
        keys = await rows.list_api_keys()
        # What a program did with one of the person's own keys counts as theirs.
        subjects = [person.id, *(key.id for key in keys)]
        return PersonalData(
            id=person.id,
            name=person.name,
            email=person.email,
            is_administrator=person.is_administrator,
            has_second_factor=person.totp_confirmed_at is not None,
            created_at=person.created_at,
            last_sign_in_at=person.last_sign_in_at,
            workspaces=_read(PersonalWorkspace, await rows.list_memberships()),
            sessions=_read(PersonalSession, await rows.list_sessions()),
            api_keys=_read(PersonalKey, keys),
            external_identities=_read(PersonalIdentity, await rows.list_external_identities()),
            runs=_read(PersonalRun, await rows.list_runs(subjects)),
            messages=_read(PersonalMessage, await rows.list_messages(subjects)),
            approvals=_read(PersonalApproval, await rows.list_approvals(subjects)),
            workflow_versions=_read(PersonalWorkflowVersion, await rows.list_workflow_versions(subjects)),
            project_versions=_read(PersonalProjectVersion, await rows.list_project_versions(subjects)),
        )

    async def remove(self) -> RemovedPerson:
        """Remove the person for good. Raises PersonNotFound, LastOwner."""
        if not has_prefix(self._person_id, Prefix.PERSON):
            raise PersonNotFound(self._person_id)
        for workspace_id in await self._rows.list_owned_workspaces():
            await lock_workspace(self._session, workspace_id)
            if await MemberRepository(self._session, workspace_id).count_owners() == 1:
                raise LastOwner
        return RemovedPerson(name=await self.remove_row(await self._get_person()))

    async def remove_row(self, person: PersonRow) -> str:
        """Remove a person; return the pseudonym that their runs and audit entries show from now on.

        The row stays under its id, so that history stays consistent; nothing that identifies them stays.
        """
        await self._rows.delete_all(person.email)
        person.name = f"Removed person {secrets.token_hex(3)}"
        person.email = person.password_hash = person.sealed_totp_secret = person.totp_confirmed_at = None
        person.is_administrator, person.disabled_at = False, person.disabled_at or now()
        person.last_sign_in_at = None
        return person.name

    async def _get_person(self) -> PersonRow:
        """Return the person. Raises PersonNotFound, also for one who was removed."""
        person = await self._rows.find_person() if has_prefix(self._person_id, Prefix.PERSON) else None
        if person is None or person.email is None:
            raise PersonNotFound(self._person_id)
        return person


def _read(schema: type[Model], rows: Iterable[object]) -> list[Model]:
    return [schema.model_validate(row) for row in rows]
