"""Queries on everything that refers to a person, in every workspace."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.db.tables.people import (
    ExternalIdentityRow,
    MembershipRow,
    OneTimeLinkRow,
    PersonRow,
    RecoveryCodeRow,
)
from crewai_runner.db.tables.projects import ProjectVersionRow
from crewai_runner.db.tables.public_links import PublicLinkRow
from crewai_runner.db.tables.runs import ApprovalRow, MessageRow, RunRow
from crewai_runner.db.tables.workflows import WorkflowVersionRow
from crewai_runner.db.tables.workspaces import WorkspaceRow

Rows = Sequence[Row[*tuple[Any, ...]]]


class PrivacyRepository:
    def __init__(self, session: AsyncSession, person_id: str) -> None:
        self._session, self._person_id = session, person_id

    async def list_memberships(self) -> Rows:
        query = select(WorkspaceRow.id, WorkspaceRow.name, MembershipRow.role, MembershipRow.created_at)
        return await self._list(
            query.join(MembershipRow, MembershipRow.workspace_id == WorkspaceRow.id).where(
                MembershipRow.person_id == self._person_id
            )
        )

    async def list_sessions(self) -> Sequence[BrowserSessionRow]:
        query = select(BrowserSessionRow).where(BrowserSessionRow.subject == self._person_id)
        return (await self._session.scalars(query)).all()

    async def list_api_keys(self) -> Sequence[ApiKeyRow]:
        query = select(ApiKeyRow).where(ApiKeyRow.person_id == self._person_id)
        return (await self._session.scalars(query)).all()

    async def list_external_identities(self) -> Sequence[ExternalIdentityRow]:
        query = select(ExternalIdentityRow).where(ExternalIdentityRow.person_id == self._person_id)
        return (await self._session.scalars(query)).all()

    async def list_runs(self, subjects: Sequence[str]) -> Rows:
        query = select(RunRow.id, RunRow.workspace_id, RunRow.workflow_name, RunRow.created_at)
        return await self._list(query.where(RunRow.created_by.in_(subjects)).order_by(RunRow.id))

    async def list_messages(self, subjects: Sequence[str]) -> Rows:
        query = select(MessageRow.run_id, MessageRow.text, MessageRow.created_at)
        return await self._list(query.where(MessageRow.created_by.in_(subjects)).order_by(MessageRow.id))

    async def list_approvals(self, subjects: Sequence[str]) -> Rows:
        query = select(
            ApprovalRow.id,
            ApprovalRow.run_id,
            ApprovalRow.state.label("status"),
            ApprovalRow.feedback,
            ApprovalRow.resolved_at,
        )
        return await self._list(query.where(ApprovalRow.resolved_by.in_(subjects)).order_by(ApprovalRow.id))

    async def list_workflow_versions(self, subjects: Sequence[str]) -> Rows:
        row = WorkflowVersionRow
        query = select(row.workflow_id, row.number, row.note, row.created_at)
        return await self._list(query.where(row.created_by.in_(subjects)).order_by(row.created_at))

    async def list_project_versions(self, subjects: Sequence[str]) -> Rows:
        row = ProjectVersionRow
        query = select(row.project_id, row.number, row.created_at)
        return await self._list(query.where(row.created_by.in_(subjects)).order_by(row.created_at))

    async def list_owned_workspaces(self) -> Sequence[str]:
        """Return the workspaces of which the person is an owner, in the order in which they are locked."""
        query = select(MembershipRow.workspace_id).where(
            MembershipRow.person_id == self._person_id, MembershipRow.role == "owner"
        )
        return (await self._session.scalars(query.order_by(MembershipRow.workspace_id))).all()

    async def delete_all(self, email: str | None) -> None:
        """Delete what the person signs in with, their memberships, and links to and from them.

        The rows of the person, of their keys and of what they did stay.
        """
        keys = select(ApiKeyRow.id).where(ApiKeyRow.person_id == self._person_id)
        creators = [self._person_id, *(await self._session.scalars(keys)).all()]
        for statement in (
            delete(PublicLinkRow).where(PublicLinkRow.created_by.in_(creators)),
            delete(OneTimeLinkRow).where(OneTimeLinkRow.email == (email or "")),
            delete(OneTimeLinkRow).where(OneTimeLinkRow.created_by.in_(creators)),
            delete(OneTimeLinkRow).where(OneTimeLinkRow.person_id == self._person_id),
            delete(ExternalIdentityRow).where(ExternalIdentityRow.person_id == self._person_id),
            delete(RecoveryCodeRow).where(RecoveryCodeRow.person_id == self._person_id),
            delete(BrowserSessionRow).where(BrowserSessionRow.subject.in_(creators)),
            update(ApiKeyRow)
            .where(ApiKeyRow.person_id == self._person_id)
            .values(name="API key", revoked_at=func.coalesce(ApiKeyRow.revoked_at, now())),
            delete(MembershipRow).where(MembershipRow.person_id == self._person_id),
        ):
            await self._session.execute(statement)

    async def find_person(self) -> PersonRow | None:
        return await self._session.get(PersonRow, self._person_id, with_for_update=True)

    async def _list(self, query: Select[*tuple[Any, ...]]) -> Rows:
        return (await self._session.execute(query)).all()
