"""Everyone who may call: each role of two workspaces with a browser and with a key, and others."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crewai_runner.core.api_key import hash_stored_key, new_stored_key
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.core.roles import (
    ADMINISTRATOR_SCOPES,
    ROLE_SCOPES,
    Member,
    WorkspaceRole,
    person_principal,
    server_principal,
)
from crewai_runner.db.session import unit_of_work
from crewai_runner.db.tables.api_keys import ApiKeyRow
from crewai_runner.db.tables.people import MembershipRow, PersonRow
from crewai_runner.features.people.passwords import Passwords
from crewai_runner.wiring.container import Container
from tests.contract.other_workspace import WorkspaceObjects
from tests.support.principals import OTHER_WORKSPACE
from tests.support.teams import PASSWORD, SERVER_KEY


@dataclass
class Caller:
    """Someone with a credential; `scopes` is what they may do, by the table of roles."""

    name: str
    objects: WorkspaceObjects
    scopes: frozenset[Scope]
    headers: dict[str, str] = field(default_factory=dict)
    session_of: Principal | None = None

    @property
    def is_known(self) -> bool:
        return bool(self.headers)

    async def sign_in(self, container: Container) -> None:
        """Begin a new browser session, if the caller has a browser: a change may have ended the last one."""
        if self.session_of is None:
            return
        sessions = container.browser_sessions
        started = await sessions.start(self.session_of, remember=False)
        cookie = f"{sessions.cookie_name}={started.cookie}"
        self.headers = {"Cookie": cookie, "X-CSRF-Token": started.csrf_token}


class InstantPasswords(Passwords):
    """Passwords that cost nothing."""

    async def hash(self, password: str) -> str:
        return f"instant:{password}"

    async def verify(self, password_hash: str | None, password: str) -> bool:
        return password_hash == f"instant:{password}"


async def create_callers(container: Container) -> Sequence[Caller]:
    """Create two workspaces with one object of every kind each, and their callers; fewest rights first."""
    first = WorkspaceObjects(BUILTIN_WORKSPACE, "secret-of-the-first", "project-of-the-first")
    second = WorkspaceObjects(OTHER_WORKSPACE, "secret-of-the-second", "project-of-the-second")
    callers = [Caller("anonymous", first, frozenset())]
    for objects in (first, second):
        await objects.insert(container.sessions)
        for role in WorkspaceRole:
            callers.append(await _create_person(container, objects, role))
            callers.append(await _create_key(container, objects, role))
    callers.append(await _create_person(container, first, WorkspaceRole.VIEWER, is_administrator=True))
    everything, key = frozenset(Scope), {"Authorization": f"Bearer {SERVER_KEY}"}
    callers.append(Caller("the server's key", first, everything, key))
    callers.append(Caller("a browser with the server's key", first, everything, {}, server_principal()))
    for caller in callers:
        await caller.sign_in(container)
    return sorted(callers, key=lambda caller: len(caller.scopes))


async def _create_person(
    container: Container, objects: WorkspaceObjects, role: WorkspaceRole, *, is_administrator: bool = False
) -> Caller:
    person_id, workspace_id = new_id(Prefix.PERSON), objects.workspace_id
    person = PersonRow(
        id=person_id,
        email=f"{person_id}@example.org",
        name=role.title(),
        password_hash=f"instant:{PASSWORD}",
        is_administrator=is_administrator,
    )
    membership = MembershipRow(workspace_id=workspace_id, person_id=person_id, role=role, created_by="test")
    async with unit_of_work(container.sessions) as session:
        session.add(person)
        await session.flush()
        session.add(membership)
    principal = person_principal(Member(person_id, workspace_id, role, is_administrator))
    scopes = ROLE_SCOPES[role] | (ADMINISTRATOR_SCOPES if is_administrator else frozenset())
    name = f"{'administrator' if is_administrator else role} of {workspace_id} with a browser"
    return Caller(name, objects, scopes, {}, principal)


async def _create_key(container: Container, objects: WorkspaceObjects, role: WorkspaceRole) -> Caller:
    token = new_stored_key()
    row = ApiKeyRow(
        id=new_id(Prefix.API_KEY),
        workspace_id=objects.workspace_id,
        name=role,
        hint=token[:8],
        key_hash=hash_stored_key(token),
        scopes=sorted(ROLE_SCOPES[role]),
        created_by="test",
    )
    async with unit_of_work(container.sessions) as session:
        session.add(row)
    headers = {"Authorization": f"Bearer {token}"}
    return Caller(f"{role} of {objects.workspace_id} with a key", objects, ROLE_SCOPES[role], headers)
