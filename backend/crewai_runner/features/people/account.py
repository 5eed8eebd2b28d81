"""The caller's own account: profile, sessions, password, second factor, workspaces."""

import pyotp
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.roles import Member, WorkspaceRole, person_principal
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.auth.errors import PersonNeeded
from crewai_runner.features.people.errors import (
    CodeWrong,
    PasswordWrong,
    SessionNotFound,
    TotpState,
    WorkspaceNotYours,
)
from crewai_runner.features.people.links import LinkPurpose, hash_token
from crewai_runner.features.people.privacy import PrivacyService
from crewai_runner.features.people.privacy_schemas import PersonalData, RemovedPerson
from crewai_runner.features.people.repository import AccountRepository
from crewai_runner.features.people.schemas import (
    Me,
    PasswordChange,
    SecondFactorConfirmed,
    SecondFactorStart,
    SessionList,
    SessionRead,
    WorkspaceSummary,
)
from crewai_runner.features.people.second_factor import (
    SecondFactor,
    find_step,
    hash_recovery_code,
    make_uri,
    new_recovery_codes,
)
from crewai_runner.features.people.sign_in import PeopleDeps, join_workspace


class AccountService:
    """What the caller sees and changes about themselves."""

    def __init__(self, session: AsyncSession, principal: Principal, deps: PeopleDeps) -> None:
        self._session, self._principal, self._deps = session, principal, deps
        self._accounts = AccountRepository(session)

    async def describe(self) -> Me:
        """Return who is calling. A key of the server or the workspace has no person."""
        principal = self._principal
        person, workspaces = None, []
        if principal.person_id is not None:
            person = await self._accounts.get(principal.person_id)
            workspaces = [_summarize(*row) for row in await self._accounts.list_workspaces(person.id)]
        current = next((item for item in workspaces if item.id == principal.workspace_id), None)
        return Me(
            subject=principal.subject,
            person_id=principal.person_id,
            name=person.name if person is not None else principal.subject,
            email=person.email if person is not None else None,
            workspace=current or await self._describe_workspace(),
            workspaces=workspaces,
            scopes=sorted(principal.scopes),
            is_administrator=principal.has_scope(Scope.INSTANCE_ADMIN),
            has_password=person is not None and person.password_hash is not None,
            has_second_factor=person is not None and person.totp_confirmed_at is not None,
            is_shared=await self._accounts.is_shared(principal.workspace_id),
        )

    async def list_sessions(self, current_hash: str | None) -> SessionList:
        """Return the browsers in which the caller is signed in."""
        rows = await self._accounts.list_sessions(self._principal.subject, now())
        return SessionList(sessions=[_describe_session(row, current_hash) for row in rows])

    async def end_session(self, session_id: str) -> None:
        """Sign a browser out. Raises SessionNotFound."""
        if not await self._accounts.end_session(self._principal.subject, session_id):
            raise SessionNotFound(session_id)

    async def change_password(self, body: PasswordChange, current_hash: str | None) -> None:
        """Change the password; all other sessions end. Raises PasswordWrong, PersonNeeded."""
        person = await self._check_password(body.current_password.get_secret_value())
        person.password_hash = await self._deps.passwords.hash(body.password.get_secret_value())
        await self._accounts.delete_resets(person.id)
        await self._accounts.end_sessions(person.id, keep_hash=current_hash)

    async def start_second_factor(self, password: str) -> SecondFactorStart:
        """Return a new secret, which counts once a code confirms it. Raises PasswordWrong, TotpState."""
        person = await self._check_password(password)
        if person.totp_confirmed_at is not None:
            raise TotpState("A second factor is active. Remove it first.")
        secret = pyotp.random_base32()
        person.sealed_totp_secret = self._deps.cipher.encrypt(secret)
        return SecondFactorStart(secret=secret, uri=make_uri(secret, person.email or person.name))

    async def confirm_second_factor(self, code: str) -> SecondFactorConfirmed:
        """Activate the second factor; return new recovery codes. Raises CodeWrong, TotpState."""
        person = await self._get_person()
        if person.sealed_totp_secret is None or person.totp_confirmed_at is not None:
            raise TotpState("Start the set-up of a second factor first.")
        secret = SecondFactor(self._accounts, self._deps.cipher).read_secret(person)
        step = find_step(secret, code.replace(" ", ""), person.totp_last_step)
        if step is None:
            raise CodeWrong
        person.totp_confirmed_at, person.totp_last_step = now(), step
        codes = new_recovery_codes()
        await self._accounts.replace_recovery_codes(person.id, [hash_recovery_code(code) for code in codes])
        return SecondFactorConfirmed(recovery_codes=codes)

    async def remove_second_factor(self, password: str) -> None:
        """Remove the second factor and its recovery codes. Raises PasswordWrong."""
        person = await self._check_password(password)
        person.sealed_totp_secret = person.totp_confirmed_at = None
        await self._accounts.replace_recovery_codes(person.id, [])

    async def export(self) -> PersonalData:
        """Return everything that is stored about the caller. Raises PersonNeeded."""
        person = await self._get_person(lock=False)
        return await PrivacyService(self._session, person.id).export()

    async def remove(self, password: str) -> RemovedPerson:
        """Remove the caller's account for good. Raises PasswordWrong, PersonNeeded, LastOwner."""
        person = await self._check_password(password)
        return await PrivacyService(self._session, person.id).remove()

    async def join(self, token: str) -> WorkspaceSummary:
        """Accept an invitation for the caller's e-mail address. Raises LinkInvalid, AlreadyMember."""
        person = await self._get_person()
        member = await join_workspace(self._accounts, hash_token(LinkPurpose.INVITATION, token), person)
        row = await self._session.get_one(WorkspaceRow, member.workspace_id)
        return _summarize(row, member.role)

    async def enter(self, workspace_id: str) -> Principal:
        """Return the caller in another workspace of theirs. Raises WorkspaceNotYours."""
        person = await self._get_person(lock=False)
        for row, role in await self._accounts.list_workspaces(person.id):
            if row.id == workspace_id:
                return person_principal(Member(person.id, row.id, role, person.is_administrator))
        raise WorkspaceNotYours(workspace_id)

    async def _get_person(self, *, lock: bool = True) -> PersonRow:
        """Return the caller. Raises PersonNeeded if it is a key, also one of the person's own."""
        if self._principal.person_id is None or self._principal.subject != self._principal.person_id:
            raise PersonNeeded
        return await self._accounts.get(self._principal.person_id, lock=lock)

    async def _check_password(self, password: str) -> PersonRow:
        person = await self._get_person()
        if not await self._deps.passwords.verify(person.password_hash, password):
            raise PasswordWrong
        return person

    async def _describe_workspace(self) -> WorkspaceSummary:
        row = await self._session.get_one(WorkspaceRow, self._principal.workspace_id)
        return WorkspaceSummary(id=row.id, name=row.name, role=None)


def _summarize(row: WorkspaceRow, role: str) -> WorkspaceSummary:
    return WorkspaceSummary(id=row.id, name=row.name, role=WorkspaceRole(role))


def _describe_session(row: BrowserSessionRow, current_hash: str | None) -> SessionRead:
    return SessionRead(
        id=row.id,
        is_current=row.token_hash == current_hash,
        address=row.address,
        user_agent=row.user_agent,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
