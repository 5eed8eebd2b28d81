"""Saved workflows, and documents on their way to be saved."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import decode_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.core.text import check_storable
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.workflows.documents import CheckedDocument, check_document
from crewai_runner.features.workflows.records import WorkflowRecords, read, veiled
from crewai_runner.features.workflows.repository import (
    BY_NAME,
    NEWEST_EDIT_FIRST,
    containing,
    edited_before,
    named_after,
)
from crewai_runner.features.workflows.schemas import (
    WorkflowCreated,
    WorkflowDraft,
    WorkflowEntries,
    WorkflowEntry,
    WorkflowImported,
    WorkflowRead,
    WorkflowSort,
)

RegisteredNames = Callable[[AsyncSession, str], Awaitable[Registry]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DocumentChecker:
    """Reads documents before any transaction begins: a large one would hold a lock for too long."""

    def __init__(self, sessions: Sessions, mask: SecretMask, names: RegisteredNames) -> None:
        self._sessions, self._mask, self._names = sessions, mask, names

    async def check(self, principal: Principal, text: str) -> CheckedDocument:
        """Everything there is to say about a document; never raises for what stands in it."""
        async with read_session(self._sessions) as session:
            registry = await self._names(session, principal.workspace_id)
        return await asyncio.to_thread(check_document, text, registry, self._mask)


class WorkflowService:
    """Give it a session that writes for whatever saves, and the mask for whatever is shown to people."""

    def __init__(self, session: AsyncSession, mask: SecretMask | None = None) -> None:
        self._session = session
        self._records = WorkflowRecords(session)
        self._mask = mask or SecretMask()

    async def create(
        self, principal: Principal, draft: WorkflowDraft, document: CheckedDocument, key: str | None
    ) -> WorkflowCreated:
        """A new workflow. Raises DocumentInvalid, WorkflowNameTaken, IdempotencyKeyReused."""

        async def make() -> WorkflowCreated:
            added = await self._records.add(principal, document.text, document.sound(), draft.note)
            return WorkflowCreated(workflow=added)

        once = IdempotencyService(self._session, principal.workspace_id, "workflows:create_workflow", key)
        return veiled(await once(WorkflowCreated, draft, make), self._mask)

    async def take_in(
        self,
        principal: Principal,
        upload: BaseModel,
        document: CheckedDocument,
        note: str | None,
        key: str | None,
    ) -> WorkflowImported:
        """A new workflow from an import; `upload` is what was sent. Raises like `create`."""

        async def make() -> WorkflowImported:
            added = await self._records.add(principal, document.text, document.sound("/yaml"), note)
            return WorkflowImported(workflow=added, warnings=document.warnings)

        once = IdempotencyService(self._session, principal.workspace_id, "workflows:import_workflow", key)
        return veiled(await once(WorkflowImported, upload, make), self._mask)

    async def get(self, principal: Principal, workflow_id: str) -> WorkflowRead:
        """Raises WorkflowNotFound."""
        row = await self._records.get(principal, workflow_id)
        return veiled(read(row, await self._records.version(row)), self._mask)

    async def page(
        self, principal: Principal, text: str | None, sort: WorkflowSort, limit: int, cursor: str | None
    ) -> WorkflowEntries:
        """One page. Raises BadRequest for a foreign cursor."""
        conditions = [containing(text)] if text else []
        if cursor is not None:
            conditions.append(_behind(cursor, sort))
        order = BY_NAME if sort is WorkflowSort.NAME else NEWEST_EDIT_FIRST
        rows = await self._records.rows.page(principal.workspace_id, conditions, order, limit + 1)
        shown = [WorkflowEntry.model_validate(row) for row in rows[:limit]]
        more = _cursor(shown[-1], sort) if len(rows) > limit else None
        return veiled(WorkflowEntries(workflows=shown, next_cursor=more), self._mask)

    async def save(
        self,
        principal: Principal,
        workflow_id: str,
        draft: WorkflowDraft,
        document: CheckedDocument,
        expected: int | None,
    ) -> WorkflowRead:
        """A new version; none when the text is what it was.

        Raises WorkflowNotFound, StaleVersion, DocumentInvalid, WorkflowNameTaken.
        """
        row = await self._records.get_locked(principal, workflow_id)
        check_version(row.version, expected)
        newest = await self._records.version(row)
        if newest.yaml != document.text:
            definition = document.sound()
            newest = await self._records.add_version(principal, row, document.text, definition, draft.note)
        return veiled(read(row, newest), self._mask)

    async def delete(self, principal: Principal, workflow_id: str, expected: int | None) -> None:
        """The workflow and its versions; its runs keep their own definition.

        Raises WorkflowNotFound, StaleVersion.
        """
        row = await self._records.get_locked(principal, workflow_id)
        check_version(row.version, expected)
        await self._records.rows.delete(row)

    async def definition_of(
        self, principal: Principal, workflow_id: str, number: int | None
    ) -> tuple[WorkflowDefinition, int]:
        """What a run is pinned to: a version's meaning and its number; None is the newest.

        Raises WorkflowNotFound, VersionNotFound.
        """
        row = await self._records.get(principal, workflow_id)
        version = await self._records.version(row, number)
        return WorkflowDefinition.model_validate(version.definition), version.number


def _cursor(last: WorkflowEntry, sort: WorkflowSort) -> str:
    if sort is WorkflowSort.NAME:
        return encode_cursor(last.name)
    return encode_cursor((last.updated_at - _EPOCH) // timedelta(milliseconds=1), last.id)


def _behind(cursor: str, sort: WorkflowSort) -> ColumnElement[bool]:
    if sort is WorkflowSort.NAME:
        return named_after(_text(decode_cursor(cursor, 1)[0]))
    millis, workflow_id = decode_cursor(cursor, 2)
    try:
        moment = _EPOCH + timedelta(milliseconds=int(millis))
    except (ValueError, OverflowError):
        raise _foreign() from None
    return edited_before(moment, _text(workflow_id))


def _text(key: str | int) -> str:
    try:
        return str(check_storable(key))
    except ValueError:
        raise _foreign() from None


def _foreign() -> BadRequest:
    return BadRequest("The cursor is not one this API gave out; start again without it.")


def registered_names(models: Callable[[AsyncSession], ModelService]) -> RegisteredNames:
    """A function that reads the names a document may use from the database."""

    async def names(session: AsyncSession, workspace_id: str) -> Registry:
        registered = await models(session).list_names(workspace_id)
        # No MCP server can be registered with this server yet, so naming one is a mistake.
        return Registry(
            models=registered.llms,
            embedders=registered.embedders,
            tools=frozenset(TOOLS),
            mcp_servers=frozenset(),
        )

    return names
