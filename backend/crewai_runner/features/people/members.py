"""The people of a workspace: list, invite, change roles, remove."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.roles import ROLE_SCOPES, WorkspaceRole
from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.people import MembershipRow, OneTimeLinkRow, PersonRow
from crewai_runner.features.auth.service import check_grant
from crewai_runner.features.people.errors import (
    AlreadyMember,
    InvitationNotFound,
    LastOwner,
    ManagedByIssuer,
    ResetNotAllowed,
    TooManyInvitations,
)
from crewai_runner.features.people.links import (
    INVITATION_LIFETIME,
    RESET_LIFETIME,
    LinkPurpose,
    hash_token,
    make_path,
    new_token,
)
from crewai_runner.features.people.passwords import Passwords
from crewai_runner.features.people.repository import (
    AccountRepository,
    InvitationRepository,
    MemberRepository,
    Membership,
)
from crewai_runner.features.people.schemas import (
    CreatedInvitation,
    CreatedLink,
    InvitationCreate,
    InvitationList,
    InvitationRead,
    PersonAnswer,
    PersonCreate,
    PersonList,
    PersonRead,
)

MAX_OPEN_INVITATIONS = 200


class MemberService:
    """The people of the caller's workspace."""

    def __init__(
        self,
        session: AsyncSession,
        principal: Principal,
        passwords: Passwords,
        issuers: Sequence[IssuerSettings] = (),
    ) -> None:
        self._session, self._principal, self._passwords = session, principal, passwords
        self._issuer_names = {issuer.issuer: issuer.name for issuer in issuers}
        self._workspace_id = principal.workspace_id
        self._members = MemberRepository(session, self._workspace_id)
        self._accounts = AccountRepository(session)
        self._invitations = InvitationRepository(session, self._workspace_id)

    async def list_page(self, limit: int, cursor: str | None) -> PersonList:
        """Return one page of people, those who were created first at the front."""
        rows = await self._members.list_page(decode_id_cursor(cursor, Prefix.PERSON), limit + 1)
        page = make_page(rows, limit, lambda row: row.person.id)
        return PersonList(people=await self._describe(page.items), next_cursor=page.next_cursor)

    async def create(self, body: PersonCreate) -> PersonAnswer:
        """Create a person with a password, and add them to this workspace.

        Raises EmailTaken, MoreThanOwnRights.
        """
        check_grant(self._principal, ROLE_SCOPES[body.role])
        person = PersonRow(
            id=new_id(Prefix.PERSON),
            email=body.email,
            name=body.name,
            password_hash=await self._passwords.hash(body.password.get_secret_value()),
            is_administrator=body.is_administrator,
        )
        await self._accounts.add(person)
        await self._accounts.add_member(self._new_membership(person.id, body.role))
        return await self._answer(Membership(person, body.role))

    async def change_role(self, person_id: str, role: WorkspaceRole) -> PersonAnswer:
        """Change someone's role; it counts from their next request on.

        More rights end the sessions that began with fewer: a session that someone else knew gains nothing.
        Raises PersonNotFound, LastOwner, ManagedByIssuer, MoreThanOwnRights.
        """
        check_grant(self._principal, ROLE_SCOPES[role])
        await lock_workspace(self._session, self._workspace_id)
        person, membership = await self._members.get(person_id, lock=True)
        self._check_not_managed(membership)
        if role is not WorkspaceRole.OWNER:
            await self._check_owner_remains(person, membership)
        if ROLE_SCOPES[role] - ROLE_SCOPES[WorkspaceRole(membership.role)]:
            await self._members.end_sessions(person_id)
        membership.role = role
        await self._session.flush()
        return await self._answer(Membership(person, role))

    async def remove(self, person_id: str) -> None:
        """End a membership, its sessions and keys. Raises PersonNotFound, LastOwner, ManagedByIssuer."""
        await lock_workspace(self._session, self._workspace_id)
        person, membership = await self._members.get(person_id, lock=True)
        self._check_not_managed(membership)
        await self._check_owner_remains(person, membership)
        await self._members.remove(person_id)

    async def end_sessions(self, person_id: str) -> None:
        """End all sessions of someone in this workspace. Raises PersonNotFound."""
        await self._members.get(person_id)
        await self._members.end_sessions(person_id)

    async def invite(self, body: InvitationCreate) -> CreatedInvitation:
        """Create an invitation. Raises AlreadyMember, TooManyInvitations, MoreThanOwnRights."""
        check_grant(self._principal, ROLE_SCOPES[body.role])
        await lock_workspace(self._session, self._workspace_id)
        if await self._members.has_email(body.email):
            raise AlreadyMember
        await self._invitations.delete_of(body.email)
        if len(await self._invitations.list_open(now())) >= MAX_OPEN_INVITATIONS:
            raise TooManyInvitations(MAX_OPEN_INVITATIONS)
        token = new_token()
        row = OneTimeLinkRow(
            id=new_id(Prefix.LINK),
            token_hash=hash_token(LinkPurpose.INVITATION, token),
            purpose=LinkPurpose.INVITATION,
            email=body.email,
            workspace_id=self._workspace_id,
            role=body.role,
            created_by=self._principal.subject,
            expires_at=now() + INVITATION_LIFETIME,
        )
        await self._accounts.add_link(row, now())
        await load_subject_names(self._session, [row])
        link = CreatedLink(path=make_path(LinkPurpose.INVITATION, token), expires_at=row.expires_at)
        return CreatedInvitation(invitation=InvitationRead.model_validate(row), link=link)

    async def list_invitations(self) -> InvitationList:
        """Return the open invitations, newest first."""
        rows = await self._invitations.list_open(now())
        await load_subject_names(self._session, rows)
        return InvitationList(invitations=[InvitationRead.model_validate(row) for row in rows])

    async def revoke_invitation(self, link_id: str) -> None:
        """Make an invitation invalid. Raises InvitationNotFound."""
        if not await self._invitations.delete(link_id):
            raise InvitationNotFound(link_id)

    async def create_reset(self, person_id: str) -> CreatedLink:
        """Create a link with which someone chooses a new password.

        Who holds the link can sign in as that person, in all of their workspaces.
        Raises PersonNotFound, ResetNotAllowed, MoreThanOwnRights.
        """
        person, membership = await self._members.get(person_id)
        check_grant(self._principal, ROLE_SCOPES[WorkspaceRole(membership.role)])
        is_shared = len(await self._accounts.list_workspaces(person_id)) > 1
        if (person.is_administrator or is_shared) and not self._principal.has_scope(Scope.INSTANCE_ADMIN):
            raise ResetNotAllowed
        await self._accounts.delete_resets(person_id)
        token, expires_at = new_token(), now() + RESET_LIFETIME
        row = OneTimeLinkRow(
            id=new_id(Prefix.LINK),
            token_hash=hash_token(LinkPurpose.PASSWORD_RESET, token),
            purpose=LinkPurpose.PASSWORD_RESET,
            email=person.email or "",
            person_id=person_id,
            created_by=self._principal.subject,
            expires_at=expires_at,
        )
        await self._accounts.add_link(row, now())
        return CreatedLink(path=make_path(LinkPurpose.PASSWORD_RESET, token), expires_at=expires_at)

    async def _check_owner_remains(self, person: PersonRow, membership: MembershipRow) -> None:
        is_owner = membership.role == WorkspaceRole.OWNER and person.disabled_at is None
        if is_owner and await self._members.count_owners() == 1:
            raise LastOwner

    def _new_membership(self, person_id: str, role: WorkspaceRole) -> MembershipRow:
        return MembershipRow(
            workspace_id=self._workspace_id,
            person_id=person_id,
            role=role,
            created_by=self._principal.subject,
        )

    def _check_not_managed(self, membership: MembershipRow) -> None:
        if membership.managed_by is not None:
            raise ManagedByIssuer(self._name_issuer(membership.managed_by))

    def _name_issuer(self, issuer: str) -> str:
        return self._issuer_names.get(issuer, issuer)

    async def _answer(self, row: Membership) -> PersonAnswer:
        return PersonAnswer(person=(await self._describe([row]))[0])

    async def _describe(self, rows: Sequence[Membership]) -> list[PersonRead]:
        issuers: dict[str, list[str]] = {row.person.id: [] for row in rows}
        for person_id, issuer in await self._members.list_issuers(list(issuers)):
            issuers[person_id].append(self._name_issuer(issuer))
        return [
            PersonRead(
                id=row.person.id,
                name=row.person.name,
                email=row.person.email,
                role=WorkspaceRole(row.role),
                is_administrator=row.person.is_administrator,
                has_password=row.person.password_hash is not None,
                has_second_factor=row.person.totp_confirmed_at is not None,
                issuers=issuers[row.person.id],
                managed_by=None if row.managed_by is None else self._name_issuer(row.managed_by),
                is_disabled=row.person.disabled_at is not None,
                created_at=row.person.created_at,
                last_sign_in_at=row.person.last_sign_in_at,
            )
            for row in rows
        ]
