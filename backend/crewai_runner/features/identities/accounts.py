"""Finds or creates the person that an identity belongs to, and applies what their groups decide."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.core.logging import get_logger
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.db.tables.people import ExternalIdentityRow, MembershipRow, PersonRow
from crewai_runner.features.identities.errors import (
    AccountExists,
    EmailNotVerified,
    IdentityTaken,
    NoRole,
    PersonDisabled,
)
from crewai_runner.features.identities.repository import IdentityRepository
from crewai_runner.features.identities.rules import RANKS, ExternalPerson, find_grants

log = get_logger(__name__)


class ExternalAccounts:
    """The people of one issuer, in one transaction.

    An identity is the pair of issuer and subject, which never changes. An e-mail address alone signs in to no
    account, unless the administrator trusts the issuer with it.
    """

    def __init__(self, session: AsyncSession, issuer: IssuerSettings, fresh_since: datetime) -> None:
        """`fresh_since`: what was read before does not count any more."""
        self._issuer, self._fresh_since = issuer, fresh_since
        self._identities = IdentityRepository(session)

    async def enter(self, external: ExternalPerson) -> PersonRow:
        """Return the person who signs in, with the memberships that the groups give.

        Raises EmailNotVerified, AccountExists, NoRole, PersonDisabled.
        """
        identity = await self._identities.get(self._issuer.issuer, external.subject)
        if identity is None:
            person = await self._find_or_create(external)
            identity = await self._add_identity(external, person.id)
        else:
            person = await self._identities.get_person(identity.person_id)
        if person.disabled_at is not None:
            raise PersonDisabled
        await self.apply(identity, external)
        return person

    async def link(self, external: ExternalPerson, person_id: str) -> None:
        """Connect an identity with the account of someone who is signed in. Raises IdentityTaken."""
        person = await self._identities.get_person(person_id)
        identity = await self._identities.get(self._issuer.issuer, external.subject)
        others = await self._identities.list_of(person.id)
        if identity is None and self._issuer.issuer not in [other.issuer for other in others]:
            identity = await self._add_identity(external, person.id)
        if identity is None or identity.person_id != person.id:
            raise IdentityTaken(self._issuer.name)
        await self.apply(identity, external)

    async def apply(self, identity: ExternalIdentityRow, external: ExternalPerson) -> None:
        """Give the memberships of the groups, and take those that the groups no longer give."""
        identity.checked_at, identity.label = now(), external.label
        grants = find_grants(self._issuer, external.groups)
        known = await self._identities.list_known_workspaces(grants.keys())
        if unknown := grants.keys() - known:
            log.warning("sign_in.unknown_workspaces", issuer=self._issuer.id, workspaces=sorted(unknown))
        granted = {workspace: role for workspace, role in grants.items() if workspace in known}
        rows = {row.workspace_id: row for row in await self._identities.list_memberships(identity.person_id)}
        for row in rows.values():
            if row.managed_by == self._issuer.issuer and row.workspace_id not in granted:
                await self._identities.remove_membership(row)
        for workspace_id, role in granted.items():
            await self._grant(identity.person_id, workspace_id, role, rows)

    async def _grant(
        self, person_id: str, workspace_id: str, role: WorkspaceRole, rows: Mapping[str, MembershipRow]
    ) -> None:
        row = rows.get(workspace_id)
        if row is None:
            await self._identities.add(
                MembershipRow(
                    workspace_id=workspace_id,
                    person_id=person_id,
                    role=role,
                    managed_by=self._issuer.issuer,
                    created_by=self._issuer.issuer[:200],
                )
            )
        elif row.managed_by != self._issuer.issuer and not await self._may_take_over(row, role):
            return
        elif (row.managed_by, row.role) != (self._issuer.issuer, role):
            # Only then: setting the same again would clear the caches of every process.
            row.managed_by, row.role = self._issuer.issuer, role

    async def _may_take_over(self, row: MembershipRow, role: WorkspaceRole) -> bool:
        """Whether this issuer decides from now on: not about what an owner decided, nor to give less."""
        if row.managed_by is None:
            return False
        checks = [
            identity.checked_at
            for identity in await self._identities.list_of(row.person_id)
            if identity.issuer == row.managed_by and identity.checked_at is not None
        ]
        is_fresh = max(checks, default=self._fresh_since) > self._fresh_since
        return not is_fresh or RANKS[role] > RANKS[WorkspaceRole(row.role)]

    async def _find_or_create(self, external: ExternalPerson) -> PersonRow:
        if external.email is None and self._issuer.email_verified_claim:
            raise EmailNotVerified(self._issuer.name)
        if external.email is not None:
            person = await self._identities.find_person_by_email(external.email)
            if person is not None:
                return await self._check_may_link(person)
        if not find_grants(self._issuer, external.groups):
            raise NoRole(self._issuer.name)
        person = PersonRow(
            id=new_id(Prefix.PERSON), email=external.email, name=external.name, is_administrator=False
        )
        await self._identities.add(person)
        return person

    async def _check_may_link(self, person: PersonRow) -> PersonRow:
        """Raises AccountExists unless the issuer's word is enough to sign in to this account."""
        others = await self._identities.list_of(person.id)
        is_linked = self._issuer.issuer in [other.issuer for other in others]
        if is_linked or not self._issuer.link_by_email:
            raise AccountExists(self._issuer.name)
        return person

    async def _add_identity(self, external: ExternalPerson, person_id: str) -> ExternalIdentityRow:
        row = ExternalIdentityRow(
            issuer=self._issuer.issuer,
            subject=external.subject,
            person_id=person_id,
            label=external.label,
        )
        await self._identities.add(row)
        return row
