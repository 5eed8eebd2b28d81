"""Creates, reads, updates and deletes workflows, and validates their documents."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import Page, decode_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.text import check_storable
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.executor.builtin_embedder import embedding_model
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.workflows.crud.checked_document import CheckedDocument, check_document
from crewai_runner.features.workflows.crud.names import strip_number
from crewai_runner.features.workflows.crud.records import WorkflowRecords, redact_secrets, to_workflow_read
from crewai_runner.features.workflows.list_repository import (
    WorkflowListRepository,
    edited_before,
    matches_text,
    name_after,
)
from crewai_runner.features.workflows.schemas import (
    ListedWorkflow,
    WorkflowCreated,
    WorkflowDraft,
    WorkflowInputs,
    WorkflowRead,
    WorkflowSort,
)

RegisteredNames = Callable[[AsyncSession, str], Awaitable[Registry]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DocumentChecker:
    """Validates documents outside of transactions: a large document would hold locks for too long."""

    def __init__(self, sessions: Sessions, mask: SecretMask, names: RegisteredNames) -> None:
        self._sessions, self._mask, self._names = sessions, mask, names

    async def check(self, principal: Principal, text: str) -> CheckedDocument:
        """Validate a document; problems are part of the result and never raised."""
        registry = await self.get_registry(principal)
        return await asyncio.to_thread(
            check_document, text, registry, self._mask.scoped(principal.workspace_id)
        )

    async def get_registry(self, principal: Principal) -> Registry:
        """Return the names that documents of the workspace may use."""
        async with read_session(self._sessions) as session:
            return await self._names(session, principal.workspace_id)

    async def list_similar_names(self, principal: Principal, name: str) -> set[str]:
        """Return the names of workflows that differ from this one by a number at most, and longer ones."""
        async with read_session(self._sessions) as session:
            repository = WorkflowRecords(session).repository
            return await repository.list_names_starting_with(strip_number(name), principal.workspace_id)


class WorkflowService:
    """Manages workflows. `mask` redacts secrets in responses; definitions for runs are not redacted."""

    def __init__(self, session: AsyncSession, mask: SecretMask | None = None) -> None:
        self._session = session
        self._records = WorkflowRecords(session)
        self._mask = mask or SecretMask()

    async def create(
        self, principal: Principal, draft: WorkflowDraft, document: CheckedDocument, key: str | None
    ) -> WorkflowCreated:
        """Create a workflow. Raises DocumentInvalid, WorkflowNameTaken, IdempotencyKeyReused."""

        async def create() -> WorkflowCreated:
            added = await self._records.create(
                principal, document.text, document.require_definition(), draft.note
            )
            return WorkflowCreated(workflow=added)

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "workflows:create_workflow", key
        )
        return redact_secrets(await idempotent(WorkflowCreated, draft, create), self._mask, principal)

    async def get(self, principal: Principal, workflow_id: str) -> WorkflowRead:
        """Return a workflow with its newest version. Raises WorkflowNotFound."""
        row = await self._records.get(principal, workflow_id)
        read = to_workflow_read(row, await self._records.get_version(row))
        return redact_secrets(read, self._mask, principal)

    async def save(
        self,
        principal: Principal,
        workflow_id: str,
        draft: WorkflowDraft,
        document: CheckedDocument,
        expected: int | None,
    ) -> WorkflowRead:
        """Create a new version, unless the text is unchanged.

        Raises WorkflowNotFound, StaleVersion, DocumentInvalid, WorkflowNameTaken.
        """
        row = await self._records.get(principal, workflow_id, lock=True)
        check_version(row.version, expected)
        newest = await self._records.get_version(row)
        if newest.row.yaml != document.text:
            definition = document.require_definition()
            newest = await self._records.add_version(principal, row, document.text, definition, draft.note)
        return redact_secrets(to_workflow_read(row, newest), self._mask, principal)

    async def delete(self, principal: Principal, workflow_id: str, expected: int | None) -> None:
        """Delete a workflow and its versions; its runs keep their own definition.

        Raises WorkflowNotFound, StaleVersion.
        """
        row = await self._records.get(principal, workflow_id, lock=True)
        check_version(row.version, expected)
        await self._records.repository.delete(row)

    async def find_automation(self, principal: Principal, slug: str) -> tuple[str, WorkflowDefinition]:
        """Return the id and the newest definition of the workflow with this slug or id.

        Raises WorkflowNotFound.
        """
        row = await self._records.get_by_slug(principal, slug)
        return row.id, (await self._records.get_version(row)).definition

    async def definition_of(
        self, principal: Principal, workflow_id: str, number: int | None
    ) -> tuple[WorkflowDefinition, int]:
        """Return the definition of a version, for a run, and its number; `number` None is the newest.

        Raises WorkflowNotFound, VersionNotFound.
        """
        row = await self._records.get(principal, workflow_id)
        version = await self._records.get_version(row, number)
        return version.definition, version.row.number

    async def find_embedder(self, workspace_id: str, workflow_id: str) -> str | None:
        """Return the embedder that the newest version names; None if it names none, or is deleted."""
        row = await self._records.repository.get(workflow_id, workspace_id)
        return None if row is None else (await self._records.get_version(row)).definition.embedder


def list_workflows(
    connection: Connection,
    principal: Principal,
    text: str | None,
    sort: WorkflowSort,
    limit: int,
    cursor: str | None,
) -> Page[ListedWorkflow]:
    """Return one page of workflows; secrets are not redacted. Raises BadRequest for an invalid cursor."""
    conditions = [matches_text(text)] if text else []
    if cursor is not None:
        conditions.append(_after_cursor(cursor, sort))
    rows = WorkflowListRepository(connection).list_page(principal.workspace_id, conditions, sort, limit + 1)
    items = rows[:limit]
    return Page(items, _encode_position(items[-1], sort) if len(rows) > limit else None)


def list_workflow_inputs(
    connection: Connection, principal: Principal, limit: int, cursor: str | None
) -> Page[WorkflowInputs]:
    """Return one page of workflows by name; secrets are not redacted. Raises BadRequest for a bad cursor."""
    after = None if cursor is None else _check_cursor_text(decode_cursor(cursor, 1)[0])
    rows = WorkflowListRepository(connection).list_inputs(principal.workspace_id, after, limit + 1)
    items = rows[:limit]
    return Page(items, encode_cursor(items[-1].name) if len(rows) > limit else None)


def _encode_position(last: ListedWorkflow, sort: WorkflowSort) -> str:
    if sort is WorkflowSort.NAME:
        return encode_cursor(last.name)
    return encode_cursor((last.updated_at - _EPOCH) // timedelta(milliseconds=1), last.id)


def _after_cursor(cursor: str, sort: WorkflowSort) -> ColumnElement[bool]:
    if sort is WorkflowSort.NAME:
        return name_after(_check_cursor_text(decode_cursor(cursor, 1)[0]))
    millis, workflow_id = decode_cursor(cursor, 2)
    try:
        updated_at = _EPOCH + timedelta(milliseconds=int(millis))
    except (ValueError, OverflowError):
        raise _invalid_cursor() from None
    return edited_before(updated_at, _check_cursor_text(workflow_id))


def _check_cursor_text(key: str | int) -> str:
    try:
        return str(check_storable(key))
    except ValueError:
        raise _invalid_cursor() from None


def _invalid_cursor() -> BadRequest:
    return BadRequest("The cursor is not valid; start again without it.")


def registered_names(models: Callable[[AsyncSession], ModelService]) -> RegisteredNames:
    """Return a function that reads the names that a document may use from the database."""

    async def names(session: AsyncSession, workspace_id: str) -> Registry:
        registered = await models(session).list_names(workspace_id)
        # MCP servers cannot be registered yet, so a document may not name any.
        return Registry(
            models=registered.llms,
            embedders=registered.embedders,
            has_builtin_embedder=embedding_model.is_available(),
            tools=frozenset(TOOLS),
            mcp_servers=frozenset(),
        )

    return names
