"""Manages triggers: the address, the secret, and what a delivery starts."""

import base64
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.webhook_secret import SECRET_PREFIX
from crewai_runner.db.session import Sessions
from crewai_runner.db.tables.triggers import TriggerRow
from crewai_runner.domain.workflow import InputDefinition
from crewai_runner.features.executions.service import ExecutionService
from crewai_runner.features.projects.errors import ProjectNotFound
from crewai_runner.features.projects.service import ProjectDeps, ProjectService
from crewai_runner.features.triggers.errors import TooManyTriggers, TriggerInvalid
from crewai_runner.features.triggers.repository import TriggerRepository
from crewai_runner.features.triggers.schemas import (
    TriggerCreate,
    TriggerList,
    TriggerRead,
    TriggerSecret,
    TriggerUpdate,
)
from crewai_runner.features.triggers.signatures import SignatureKind
from crewai_runner.features.workflows.errors import WorkflowNotFound
from crewai_runner.features.workflows.service import WorkflowService

MAX_TRIGGERS = 200
"""Per workspace."""
HOOKS_PATH = "/hooks"


@dataclass(frozen=True, slots=True)
class TriggerDeps:
    """Dependencies of triggers, built by the container."""

    sessions: Sessions
    publish: Callable[[Iterable[str]], None]
    cipher: SecretCipher
    mask: SecretMask
    projects: ProjectDeps
    executions: Callable[[AsyncSession], ExecutionService]


class TriggerService:
    """The triggers of the caller's workspace."""

    def __init__(self, session: AsyncSession, deps: TriggerDeps) -> None:
        self._session, self._deps = session, deps
        self._triggers = TriggerRepository(session)

    async def list_all(self, principal: Principal) -> TriggerList:
        """Return all triggers, by name."""
        rows = await self._triggers.list_all(principal.workspace_id)
        return TriggerList(triggers=[_to_schema(principal, row) for row in rows])

    async def get(self, principal: Principal, trigger_id: str) -> TriggerRead:
        """Return one trigger. Raises TriggerNotFound."""
        return _to_schema(principal, await self._triggers.get(trigger_id, principal.workspace_id))

    async def create(self, principal: Principal, request: TriggerCreate) -> TriggerSecret:
        """Create a trigger. Raises TriggerInvalid, TriggerNameTaken, TooManyTriggers."""
        await self._triggers.lock_workspace(principal.workspace_id)
        if await self._triggers.count(principal.workspace_id) >= MAX_TRIGGERS:
            raise TooManyTriggers(MAX_TRIGGERS)
        declared = await self.list_inputs(principal, request.workflow_id, request.project_id)
        _check_inputs(request.inputs, declared)
        secret = request.secret or make_secret()
        row = TriggerRow(
            id=new_id(Prefix.TRIGGER),
            workspace_id=principal.workspace_id,
            name=request.name,
            workflow_id=request.workflow_id,
            project_id=request.project_id,
            signature=request.signature.value,
            inputs=dict(request.inputs),
            is_enabled=request.is_enabled,
            path=make_path(),
        )
        row.sealed_secret = self._deps.cipher.encrypt(secret.get_secret_value())
        await self._triggers.add(row)
        return TriggerSecret(trigger=_to_schema(principal, row), secret=secret.get_secret_value())

    async def update(
        self, principal: Principal, trigger_id: str, request: TriggerUpdate, expected: int | None
    ) -> TriggerRead:
        """Change the fields that were sent.

        Raises TriggerNotFound, StaleVersion, TriggerInvalid, TriggerNameTaken.
        """
        row = await self._triggers.get_for_update(trigger_id, principal.workspace_id, expected)
        sent = request.model_fields_set
        if "inputs" in sent:
            declared = await self.list_inputs(principal, row.workflow_id, row.project_id)
            _check_inputs(request.inputs, declared)
            row.inputs = dict(request.inputs)
        if "secret" in sent:
            row.sealed_secret = self._deps.cipher.encrypt(request.secret.get_secret_value())
        if "signature" in sent:
            row.signature = request.signature.value
        for name in sent & {"name", "is_enabled"}:
            setattr(row, name, getattr(request, name))
        await self._triggers.save(row)
        return _to_schema(principal, row)

    async def rotate(self, principal: Principal, trigger_id: str, expected: int | None) -> TriggerSecret:
        """Replace address and secret, at once. Raises TriggerNotFound, StaleVersion."""
        row = await self._triggers.get_for_update(trigger_id, principal.workspace_id, expected)
        secret = make_secret()
        row.sealed_secret = self._deps.cipher.encrypt(secret.get_secret_value())
        row.path = make_path()
        await self._triggers.save(row)
        return TriggerSecret(trigger=_to_schema(principal, row), secret=secret.get_secret_value())

    async def delete(self, principal: Principal, trigger_id: str, expected: int | None) -> None:
        """Delete a trigger and its deliveries; its runs stay. Raises TriggerNotFound, StaleVersion."""
        row = await self._triggers.get_for_update(trigger_id, principal.workspace_id, expected)
        await self._triggers.delete(row)

    async def list_inputs(
        self, principal: Principal, workflow_id: str | None, project_id: str | None
    ) -> list[InputDefinition]:
        """Return the inputs of what a trigger starts. Raises TriggerInvalid if that does not exist."""
        if (workflow_id is None) == (project_id is None):
            raise TriggerInvalid("/workflowId", "Send either `workflowId` or `projectId`.")
        try:
            if workflow_id is not None:
                workflows = WorkflowService(self._session, self._deps.mask)
                definition, _ = await workflows.definition_of(principal, workflow_id, None)
                return definition.inputs
            projects = ProjectService(self._session, self._deps.projects)
            return await projects.list_inputs(principal, project_id or "")
        except WorkflowNotFound as error:
            raise TriggerInvalid("/workflowId", error.detail) from None
        except ProjectNotFound as error:
            raise TriggerInvalid("/projectId", error.detail) from None


def make_secret() -> SecretStr:
    """Return a random secret of 192 bits, in the form of Standard Webhooks."""
    return SecretStr(SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode())


def make_path() -> str:
    """Return the random last part of an address: 192 bits."""
    return secrets.token_urlsafe(24)


def _check_inputs(pointers: Iterable[str], declared: list[InputDefinition]) -> None:
    names = [one.name for one in declared]
    for name in pointers:
        if name not in names:
            known = ", ".join(names) or "none"
            raise TriggerInvalid(f"/inputs/{name}", f"There is no input `{name}`. Declared: {known}.")


def _to_schema(principal: Principal, row: TriggerRow) -> TriggerRead:
    shows_path = principal.has_scope(Scope.WORKFLOWS_WRITE)
    return TriggerRead(
        id=row.id,
        name=row.name,
        workflow_id=row.workflow_id,
        project_id=row.project_id,
        signature=SignatureKind(row.signature),
        path=f"{HOOKS_PATH}/{row.path}" if shows_path else "",
        inputs=row.inputs,
        is_enabled=row.is_enabled,
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )
