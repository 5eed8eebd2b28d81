"""People, API keys and workspaces, managed in the database while the server may run."""

import getpass
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeVar

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.errors import AppError
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.roles import WorkspaceRole, server_principal
from crewai_runner.core.secret_key import create_cipher
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.migrate import upgrade_async
from crewai_runner.db.row_changes import record_changes
from crewai_runner.db.session import make_engine, make_sessions
from crewai_runner.db.tables.people import PersonRow
from crewai_runner.domain.audit_entry import Actor, ActorKind, AuditEntry, Origin, get_entry, open_entry
from crewai_runner.features.api_keys.schemas import ApiKeyCreate
from crewai_runner.features.api_keys.service import ApiKeyService
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.people.schemas import PersonCreate
from crewai_runner.features.people.service import MemberService, Passwords, PeopleAdministration
from crewai_runner.features.providers.service import ProviderDeps
from crewai_runner.features.workspaces.service import WorkspaceDeps, WorkspaceService
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.operations.errors import OperationError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class NewPerson:
    email: str
    name: str
    role: WorkspaceRole
    is_administrator: bool
    read_password: Callable[[], str]
    """Asked only for someone who has no account yet."""


class _CommandSession(Session):
    """The sessions of commands, whose changes are recorded."""


record_changes(_CommandSession)


async def with_team(
    settings: Settings,
    command: str,
    action: Callable[["TeamOperations"], Awaitable[list[str]]],
    *,
    is_change: bool,
) -> list[str]:
    """Call the action in one transaction; return the lines to print. Raises OperationError.

    A change gets a row in the audit log, with the command and the user of the operating system.
    """
    await upgrade_async(settings.database)
    engine = make_engine(settings.database, pool_size=1)
    actor = Actor(ActorKind.COMMAND, _read_user())
    origin = Origin(f"command:{command}", is_change=is_change, actor=actor)
    try:
        with open_entry(AuditEntry(lambda: origin)):
            async with audited_unit_of_work(make_sessions(engine, session_class=_CommandSession)) as session:
                return await action(TeamOperations(session, WorkspaceDeps(partial(_furnish, settings))))
    except AppError as error:
        raise OperationError(error.detail) from None
    finally:
        await engine.dispose()


class TeamOperations:
    """What the administrator of the server does on its command line, with every right."""

    def __init__(self, session: AsyncSession, deps: WorkspaceDeps) -> None:
        self._session = session
        self._workspaces = WorkspaceService(session, deps)
        self._people = PeopleAdministration(session)

    async def create_person(self, person: NewPerson, workspace: str | None) -> list[str]:
        await self._workspaces.ensure_builtin()
        workspace_id = await self._find_workspace(workspace)
        known = await self._people.find(person.email)
        if known is not None:
            get_entry().set_target("person", known.id)
            await self._people.add_to_workspace(known, workspace_id, person.role)
            return [f"{known.email} has an account, and is now {person.role} of the workspace."]
        body = _validate(
            lambda: PersonCreate.model_validate(
                {
                    "email": person.email,
                    "name": person.name,
                    "role": person.role,
                    "is_administrator": person.is_administrator,
                    "password": person.read_password(),
                }
            )
        )
        await self._members(workspace_id).create(body)
        return [f"{body.email} can sign in, as {person.role} of the workspace."]

    async def list_people(self) -> list[str]:
        return [
            f"{person.email or '(removed)'}  {person.name}  {await self._describe_rights(person)}"
            for person in await self._people.list_all()
        ] or ["There are no people. Create the first one: crewai-runner user create you@example.org"]

    async def create_reset(self, email: str) -> list[str]:
        person = await self._get_person(email)
        workspaces = await self._people.list_workspaces(person.id)
        if not workspaces:
            raise OperationError(f"{email} is in no workspace.")
        link = await self._members(workspaces[0][0].id).create_reset(person.id)
        return [
            link.path,
            "Open this path on your server. It works once, for 24 hours. Whoever has it can sign in as them.",
        ]

    async def set_disabled(self, email: str, *, is_disabled: bool) -> list[str]:
        await self._people.set_disabled(await self._get_person(email), is_disabled=is_disabled)
        return [f"{email} is {'disabled' if is_disabled else 'enabled'}."]

    async def remove_person(self, email: str) -> list[str]:
        name = await self._people.remove(await self._get_person(email))
        return [f"{email} is removed; what they did is shown as {name}."]

    async def create_key(
        self, name: str, role: WorkspaceRole, days: int | None, workspace: str | None
    ) -> list[str]:
        await self._workspaces.ensure_builtin()
        expires_at = None if days is None else now() + timedelta(days=days)
        body = _validate(lambda: ApiKeyCreate(name=name, role=role, expires_at=expires_at))
        created = await (await self._keys(workspace)).create(body)
        return [created.token]

    async def list_keys(self, workspace: str | None) -> list[str]:
        keys = await self._keys(workspace)
        lines: list[str] = []
        cursor: str | None = None
        while True:
            page = await keys.list_page(200, cursor)
            for key in page.api_keys:
                state = "revoked" if key.revoked_at else "valid"
                used = key.last_used_at.isoformat(timespec="minutes") if key.last_used_at else "never used"
                lines.append(f"{key.id}  {key.hint}…  {key.name}  {state}  {used}")
            cursor = page.next_cursor
            if cursor is None:
                return lines or ["There are no API keys besides the server's own."]

    async def revoke_key(self, key_id: str, workspace: str | None) -> list[str]:
        await (await self._keys(workspace)).revoke(key_id)
        get_entry().set_target("api-key", key_id)
        return [f"{key_id} is revoked."]

    async def create_workspace(self, name: str) -> list[str]:
        await self._workspaces.ensure_builtin()
        created = await self._workspaces.create(server_principal(), name)
        return [
            f"{created.workspace.id}  {created.workspace.name}",
            f"Add its first owner: crewai-runner user create EMAIL --workspace {created.workspace.id}",
        ]

    async def list_workspaces(self) -> list[str]:
        await self._workspaces.ensure_builtin()
        return [f"{item.id}  {item.name}" for item in await self._workspaces.list_all()]

    async def _find_workspace(self, text: str | None) -> str:
        if text is None:
            get_entry().set_workspace(BUILTIN_WORKSPACE)
            return BUILTIN_WORKSPACE
        for item in await self._workspaces.list_all():
            if text in (item.id, item.name):
                get_entry().set_workspace(item.id)
                return item.id
        raise OperationError(f"There is no workspace {text!r}; see `crewai-runner workspace list`.")

    async def _get_person(self, email: str) -> PersonRow:
        person = await self._people.find(email)
        if person is None:
            raise OperationError(f"There is no account {email}; see `crewai-runner user list`.")
        get_entry().set_target("person", person.id)
        return person

    async def _describe_rights(self, person: PersonRow) -> str:
        roles = [f"{role} of {row.name}" for row, role in await self._people.list_workspaces(person.id)]
        notes = ["administrator"] * person.is_administrator + ["disabled"] * (person.disabled_at is not None)
        return ", ".join([*roles, *notes])

    def _members(self, workspace_id: str) -> MemberService:
        return MemberService(self._session, server_principal(workspace_id), Passwords())

    async def _keys(self, workspace: str | None) -> ApiKeyService:
        principal = server_principal(await self._find_workspace(workspace))
        return ApiKeyService(self._session, principal, only_own=False)


def _read_user() -> str:
    """The user of the operating system; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _furnish(settings: Settings, session: AsyncSession, workspace_id: str) -> None:
    """Add the built-in model to a new workspace, as a server with these settings does."""
    mask = SecretMask()
    deps = ProviderDeps(
        create_cipher(settings, mask.add),
        mask,
        EgressPolicy(allow_private=settings.can_use_private_hosts),
        LocalModelSupervisor(settings.local_model),
    )
    await ModelService(session, deps).ensure_local(workspace_id)


def _validate(make: Callable[[], Result]) -> Result:
    try:
        return make()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "request"
        raise OperationError(f"{field}: {first['msg']}") from None
