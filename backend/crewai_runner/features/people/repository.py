"""Queries on people, memberships, links and the sessions of people."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.db.tables.people import (
    ExternalIdentityRow,
    MembershipRow,
    OneTimeLinkRow,
    PersonRow,
    RecoveryCodeRow,
)
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.people.errors import EmailTaken, PersonNotFound


class Membership(NamedTuple):
    """A person in a workspace."""

    person: PersonRow
    role: str
    managed_by: str | None = None


class MemberRepository:
    """The people of one workspace."""

    def __init__(self, session: AsyncSession, workspace_id: str) -> None:
        self._session, self._workspace_id = session, workspace_id

    async def get(self, person_id: str, *, lock: bool = False) -> tuple[PersonRow, MembershipRow]:
        """Return a person of the workspace; with `lock` until the transaction ends. Raises PersonNotFound."""
        query = self._select().where(PersonRow.id == person_id)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        if not has_prefix(person_id, Prefix.PERSON):
            raise PersonNotFound(person_id)
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            raise PersonNotFound(person_id)
        person, membership = row
        return person, membership

    async def list_page(self, after: str | None, limit: int) -> Sequence[Membership]:
        """Return people in the order in which they were created."""
        query = self._select()
        if after is not None:
            query = query.where(PersonRow.id > after)
        rows = await self._session.execute(query.order_by(PersonRow.id).limit(limit))
        return [Membership(person, row.role, row.managed_by) for person, row in rows]

    async def list_issuers(self, person_ids: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Return the issuers at which people sign in, each with the person's id."""
        query = (
            select(ExternalIdentityRow.person_id, ExternalIdentityRow.issuer)
            .where(ExternalIdentityRow.person_id.in_(person_ids))
            .order_by(ExternalIdentityRow.created_at)
        )
        return [(person_id, issuer) for person_id, issuer in await self._session.execute(query)]

    async def has_email(self, email: str) -> bool:
        query = self._select().where(PersonRow.email == email)
        return (await self._session.execute(query)).first() is not None

    async def count_owners(self) -> int:
        """Count the owners who can sign in."""
        query = (
            select(func.count())
            .select_from(MembershipRow)
            .join(PersonRow, PersonRow.id == MembershipRow.person_id)
            .where(
                MembershipRow.workspace_id == self._workspace_id,
                MembershipRow.role == WorkspaceRole.OWNER,
                PersonRow.disabled_at.is_(None),
            )
        )
        return await self._session.scalar(query) or 0

    async def end_sessions(self, person_id: str) -> None:
        await self._session.execute(
            delete(BrowserSessionRow).where(
                BrowserSessionRow.workspace_id == self._workspace_id, BrowserSessionRow.subject == person_id
            )
        )

    async def remove(self, person_id: str) -> None:
        """End a membership, with the person's sessions and API keys in this workspace.

        The rows of keys stay: runs show their names.
        """
        mine = [ApiKeyRow.workspace_id == self._workspace_id, ApiKeyRow.person_id == person_id]
        await self._session.execute(
            update(ApiKeyRow).where(*mine, ApiKeyRow.revoked_at.is_(None)).values(revoked_at=now())
        )
        for table, column in (
            (BrowserSessionRow, BrowserSessionRow.subject),
            (MembershipRow, MembershipRow.person_id),
        ):
            await self._session.execute(
                delete(table).where(table.workspace_id == self._workspace_id, column == person_id)
            )

    def _select(self) -> Select[PersonRow, MembershipRow]:
        return (
            select(PersonRow, MembershipRow)
            .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
            .where(MembershipRow.workspace_id == self._workspace_id)
        )


class InvitationRepository:
    """The invitations to one workspace."""

    def __init__(self, session: AsyncSession, workspace_id: str) -> None:
        self._session = session
        self._mine = [OneTimeLinkRow.workspace_id == workspace_id, OneTimeLinkRow.purpose == "invitation"]

    async def list_open(self, at: datetime) -> Sequence[OneTimeLinkRow]:
        """Return the invitations that have not expired, newest first."""
        query = select(OneTimeLinkRow).where(*self._mine, OneTimeLinkRow.expires_at > at)
        return (await self._session.scalars(query.order_by(OneTimeLinkRow.id.desc()))).all()

    async def delete_of(self, email: str) -> None:
        """Delete the invitations of an address."""
        await self._session.execute(delete(OneTimeLinkRow).where(*self._mine, OneTimeLinkRow.email == email))

    async def delete(self, link_id: str) -> bool:
        """Delete an invitation; return whether there was one."""
        if not has_prefix(link_id, Prefix.LINK):
            return False
        found = await self._session.scalars(
            delete(OneTimeLinkRow)
            .where(*self._mine, OneTimeLinkRow.id == link_id)
            .returning(OneTimeLinkRow.id)
        )
        return found.first() is not None


class AccountRepository:
    """People before their workspace is known, and what they sign in with."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, person_id: str, *, lock: bool = False) -> PersonRow:
        """Return a person; with `lock` until the transaction ends. Raises PersonNotFound."""
        query = select(PersonRow).where(PersonRow.id == person_id)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        row = await self._session.scalar(query)
        if row is None:
            raise PersonNotFound(person_id)
        return row

    async def find_by_email(self, email: str) -> PersonRow | None:
        return await self._session.scalar(select(PersonRow).where(PersonRow.email == email))

    async def has_passwords(self) -> bool:
        """Whether anyone can sign in with a password."""
        query = select(PersonRow.id).where(PersonRow.password_hash.is_not(None)).limit(1)
        return await self._session.scalar(query) is not None

    async def is_shared(self, workspace_id: str) -> bool:
        """Whether there are people or keys in a workspace."""
        people = select(MembershipRow.person_id).where(MembershipRow.workspace_id == workspace_id).exists()
        keys = select(ApiKeyRow.id).where(ApiKeyRow.workspace_id == workspace_id).exists()
        return bool(await self._session.scalar(select(people | keys)))

    async def list_all(self) -> Sequence[PersonRow]:
        """Return all people of the server, removed ones included, those who were created first in front."""
        return (await self._session.scalars(select(PersonRow).order_by(PersonRow.id))).all()

    async def add(self, row: PersonRow) -> None:
        """Insert a person. Raises EmailTaken."""
        self._session.add(row)
        try:
            await self._session.flush()
        except IntegrityError:
            raise EmailTaken from None

    async def list_workspaces(self, person_id: str) -> Sequence[tuple[WorkspaceRow, str]]:
        """Return the person's workspaces with their role, those joined first at the front."""
        query = (
            select(WorkspaceRow, MembershipRow.role)
            .join(MembershipRow, MembershipRow.workspace_id == WorkspaceRow.id)
            .where(MembershipRow.person_id == person_id)
            .order_by(MembershipRow.created_at, WorkspaceRow.id)
        )
        return [(row, role) for row, role in await self._session.execute(query)]

    async def add_member(self, membership: MembershipRow) -> None:
        self._session.add(membership)
        await self._session.flush()

    async def take_link(self, token_hash: str, purpose: str, at: datetime) -> OneTimeLinkRow | None:
        """Delete a link and return it: of simultaneous callers only one gets it. None if it is not valid."""
        found = await self._session.scalars(
            delete(OneTimeLinkRow)
            .where(
                OneTimeLinkRow.token_hash == token_hash,
                OneTimeLinkRow.purpose == purpose,
                OneTimeLinkRow.expires_at > at,
            )
            .returning(OneTimeLinkRow)
        )
        return found.one_or_none()

    async def find_link(self, token_hash: str, purpose: str, at: datetime) -> OneTimeLinkRow | None:
        """Return a link that is still valid."""
        return await self._session.scalar(
            select(OneTimeLinkRow).where(
                OneTimeLinkRow.token_hash == token_hash,
                OneTimeLinkRow.purpose == purpose,
                OneTimeLinkRow.expires_at > at,
            )
        )

    async def add_link(self, row: OneTimeLinkRow, at: datetime) -> None:
        """Store a link; expired ones are deleted."""
        await self._session.execute(delete(OneTimeLinkRow).where(OneTimeLinkRow.expires_at <= at))
        self._session.add(row)
        await self._session.flush()

    async def delete_resets(self, person_id: str) -> None:
        """Delete the open password resets of a person."""
        await self._session.execute(
            delete(OneTimeLinkRow).where(
                OneTimeLinkRow.person_id == person_id, OneTimeLinkRow.purpose == "password-reset"
            )
        )

    async def list_sessions(self, subject: str, at: datetime) -> Sequence[BrowserSessionRow]:
        """Return the sessions of a subject that have not expired, the newest first."""
        query = select(BrowserSessionRow).where(
            BrowserSessionRow.subject == subject, BrowserSessionRow.expires_at > at
        )
        return (await self._session.scalars(query.order_by(BrowserSessionRow.created_at.desc()))).all()

    async def end_session(self, subject: str, session_id: str) -> bool:
        """End one session of a subject; return whether there was one."""
        if not has_prefix(session_id, Prefix.SESSION):
            return False
        found = await self._session.scalars(
            delete(BrowserSessionRow)
            .where(BrowserSessionRow.subject == subject, BrowserSessionRow.id == session_id)
            .returning(BrowserSessionRow.id)
        )
        return found.first() is not None

    async def end_sessions(self, subject: str, *, keep_hash: str | None = None) -> None:
        """End all sessions of a subject except for one."""
        query = delete(BrowserSessionRow).where(BrowserSessionRow.subject == subject)
        if keep_hash is not None:
            query = query.where(BrowserSessionRow.token_hash != keep_hash)
        await self._session.execute(query)

    async def take_recovery_code(self, person_id: str, code_hash: str) -> bool:
        """Delete a recovery code; return whether there was one."""
        found = await self._session.scalars(
            delete(RecoveryCodeRow)
            .where(RecoveryCodeRow.person_id == person_id, RecoveryCodeRow.code_hash == code_hash)
            .returning(RecoveryCodeRow.code_hash)
        )
        return found.first() is not None

    async def replace_recovery_codes(self, person_id: str, code_hashes: Sequence[str]) -> None:
        await self._session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == person_id))
        self._session.add_all(
            RecoveryCodeRow(person_id=person_id, code_hash=code_hash) for code_hash in code_hashes
        )
        await self._session.flush()
