"""The versions of a workflow: looking back, comparing, going back."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import decode_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.workflows import WorkflowVersionRow
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.workflows.records import WorkflowRecords, read, veiled
from crewai_runner.features.workflows.rules import differences, unified_diff
from crewai_runner.features.workflows.schemas import (
    DefinitionChange,
    Restoration,
    VersionDiff,
    VersionPage,
    VersionRead,
    VersionSummary,
    WorkflowRead,
)


class WorkflowHistory:
    """Versions never change; going back makes a new one."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._session = session
        self._records = WorkflowRecords(session)
        self._mask = mask

    async def page(
        self, principal: Principal, workflow_id: str, limit: int, cursor: str | None
    ) -> VersionPage:
        """Newest first. Raises WorkflowNotFound, BadRequest for a foreign cursor."""
        row = await self._records.get(principal, workflow_id)
        before = None if cursor is None else _number(decode_cursor(cursor, 1)[0])
        rows = await self._records.rows.versions(row.id, row.workspace_id, before, limit + 1)
        shown = [VersionSummary.model_validate(found) for found in rows[:limit]]
        more = encode_cursor(shown[-1].number) if len(rows) > limit else None
        return veiled(VersionPage(versions=shown, next_cursor=more), self._mask)

    async def get(self, principal: Principal, workflow_id: str, number: int) -> VersionRead:
        """Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        return veiled(VersionRead.model_validate(await self._records.version(row, number)), self._mask)

    async def restore(
        self, principal: Principal, workflow_id: str, number: int, expected: int | None, key: str | None
    ) -> WorkflowRead:
        """A new version with an old one's text, not judged again: it was valid when it was saved.

        Raises WorkflowNotFound, VersionNotFound, StaleVersion, WorkflowNameTaken, IdempotencyKeyReused.
        """

        async def make() -> WorkflowRead:
            row = await self._records.get_locked(principal, workflow_id)
            check_version(row.version, expected)
            old = await self._records.version(row, number)
            newest = await self._records.version(row)
            if newest.yaml != old.yaml:
                definition = WorkflowDefinition.model_validate(old.definition)
                note = f"Restored version {number}."
                newest = await self._records.add_version(principal, row, old.yaml, definition, note)
            return read(row, newest)

        once = IdempotencyService(self._session, principal.workspace_id, "workflows:restore_version", key)
        request = Restoration(workflow_id=workflow_id, number=number, expected=expected)
        return veiled(await once(WorkflowRead, request, make), self._mask)

    async def diff(
        self, principal: Principal, workflow_id: str, before: int, after: int | None
    ) -> VersionDiff:
        """Two versions side by side; `after` None is the newest. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        old = await self._records.version(row, before)
        new = await self._records.version(row, after)
        return veiled(await asyncio.to_thread(_compare, old, new), self._mask)


def _number(key: str | int) -> int:
    if not isinstance(key, int) or not 0 < key < 2**31:
        raise BadRequest("The cursor is not one this API gave out; start again without it.")
    return key


def _compare(old: WorkflowVersionRow, new: WorkflowVersionRow) -> VersionDiff:
    found = differences(_spoken(old), _spoken(new))
    return VersionDiff(
        from_version=old.number,
        to_version=new.number,
        text=unified_diff(old.yaml, new.yaml, f"version {old.number}", f"version {new.number}"),
        changes=[DefinitionChange.model_validate(difference, from_attributes=True) for difference in found],
    )


def _spoken(version: WorkflowVersionRow) -> dict[str, object]:
    # In the spelling of documents, for paths that an author recognises.
    definition = WorkflowDefinition.model_validate(version.definition)
    return definition.model_dump(mode="json", by_alias=False)
