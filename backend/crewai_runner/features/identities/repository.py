"""Queries on identities, the memberships that issuers decide about, and the sessions of their sign-ins."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.browser_sessions import BrowserSessionRow, ExternalSessionRow
from crewai_runner.db.tables.people import ExternalIdentityRow, MembershipRow, PersonRow
from crewai_runner.db.tables.workspaces import WorkspaceRow


class IdentityRepository:
    """Identities and memberships of people, whatever their workspace: their issuers come before it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, issuer: str, subject: str) -> ExternalIdentityRow | None:
        """Return an identity, locked until the transaction ends."""
        query = select(ExternalIdentityRow).where(
            ExternalIdentityRow.issuer == issuer, ExternalIdentityRow.subject == subject
        )
        return await self._session.scalar(query.with_for_update())

    async def list_of(self, person_id: str) -> Sequence[ExternalIdentityRow]:
        """Return a person's identities, those added first at the front."""
        query = select(ExternalIdentityRow).where(ExternalIdentityRow.person_id == person_id)
        return (
            await self._session.scalars(
                query.order_by(ExternalIdentityRow.created_at, ExternalIdentityRow.issuer)
            )
        ).all()

    async def add(self, row: ExternalIdentityRow | PersonRow | MembershipRow) -> None:
        """Insert a row. Raises IntegrityError if it exists already."""
        self._session.add(row)
        await self._session.flush()

    async def get_person(self, person_id: str) -> PersonRow:
        """Return a person, locked until the transaction ends."""
        query = select(PersonRow).where(PersonRow.id == person_id).with_for_update()
        return (await self._session.scalars(query)).one()

    async def find_person_by_email(self, email: str) -> PersonRow | None:
        """Return a person, locked until the transaction ends."""
        return await self._session.scalar(select(PersonRow).where(PersonRow.email == email).with_for_update())

    async def list_memberships(self, person_id: str) -> Sequence[MembershipRow]:
        """Return a person's memberships, those that they joined first at the front."""
        query = select(MembershipRow).where(MembershipRow.person_id == person_id)
        return (
            await self._session.scalars(query.order_by(MembershipRow.created_at, MembershipRow.workspace_id))
        ).all()

    async def list_roles(self, person_id: str) -> Mapping[str, str]:
        """Return a person's roles by workspace."""
        query = select(MembershipRow.workspace_id, MembershipRow.role)
        rows = await self._session.execute(query.where(MembershipRow.person_id == person_id))
        return {row.workspace_id: row.role for row in rows}

    async def list_known_workspaces(self, workspace_ids: Collection[str]) -> set[str]:
        query = select(WorkspaceRow.id).where(WorkspaceRow.id.in_(workspace_ids))
        return set(await self._session.scalars(query))

    async def remove_membership(self, row: MembershipRow) -> None:
        """End a membership and the person's sessions in the workspace. Keys then have no rights."""
        await self._session.execute(
            delete(BrowserSessionRow).where(
                BrowserSessionRow.workspace_id == row.workspace_id,
                BrowserSessionRow.subject == row.person_id,
            )
        )
        await self._session.delete(row)
        await self._session.flush()

    async def remove(self, row: ExternalIdentityRow) -> None:
        """Remove an identity, the memberships that its groups give, and the sessions that began with it."""
        sessions = ExternalSessionRepository(self._session)
        await sessions.end_all(row.issuer, row.subject, None, None)
        await self._session.execute(
            delete(MembershipRow).where(
                MembershipRow.person_id == row.person_id, MembershipRow.managed_by == row.issuer
            )
        )
        await self._session.delete(row)
        await self._session.flush()


class ExternalSessionRepository:
    """The sign-ins at issuers that browser sessions began with."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, token_hash: str) -> ExternalSessionRow | None:
        return await self._session.get(ExternalSessionRow, token_hash)

    async def find_of_person(self, issuer: str, person_id: str) -> ExternalSessionRow | None:
        """Return the newest sign-in of a person at an issuer that can read the groups again."""
        query = (
            select(ExternalSessionRow)
            .join(
                ExternalIdentityRow,
                (ExternalIdentityRow.issuer == ExternalSessionRow.issuer)
                & (ExternalIdentityRow.subject == ExternalSessionRow.subject),
            )
            .where(
                ExternalIdentityRow.issuer == issuer,
                ExternalIdentityRow.person_id == person_id,
                ExternalSessionRow.sealed_refresh_token.is_not(None),
            )
            .order_by(ExternalSessionRow.checked_at.desc())
        )
        return await self._session.scalar(query.limit(1))

    async def claim(
        self, token_hash: str, checked_before: datetime, at: datetime, until: datetime
    ) -> ExternalSessionRow | None:
        """Return a sign-in whose groups are due, for this process alone; None if another one was first."""
        claimed = await self._session.scalars(
            update(ExternalSessionRow)
            .where(
                ExternalSessionRow.token_hash == token_hash,
                ExternalSessionRow.checked_at <= checked_before,
                or_(ExternalSessionRow.claimed_until.is_(None), ExternalSessionRow.claimed_until <= at),
            )
            .values(claimed_until=until)
            .returning(ExternalSessionRow)
        )
        return claimed.one_or_none()

    async def release(self, token_hash: str) -> None:
        await self._session.execute(
            update(ExternalSessionRow)
            .where(ExternalSessionRow.token_hash == token_hash)
            .values(claimed_until=None)
        )

    async def end(self, token_hash: str) -> None:
        """End a browser session."""
        await self._session.execute(
            delete(BrowserSessionRow).where(BrowserSessionRow.token_hash == token_hash)
        )

    async def end_all(
        self, issuer: str, subject: str | None, sid: str | None, begun_before: datetime | None
    ) -> None:
        """End the browser sessions of a person, or of the issuer's session, that began before a time."""
        found = select(ExternalSessionRow.token_hash).where(ExternalSessionRow.issuer == issuer)
        for column, value in ((ExternalSessionRow.subject, subject), (ExternalSessionRow.sid, sid)):
            if value is not None:
                found = found.where(column == value)
        ended = delete(BrowserSessionRow).where(BrowserSessionRow.token_hash.in_(found))
        if begun_before is not None:
            ended = ended.where(BrowserSessionRow.created_at <= begun_before)
        await self._session.execute(ended.execution_options(synchronize_session=False))
