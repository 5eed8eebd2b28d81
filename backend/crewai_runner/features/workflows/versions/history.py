"""Lists, reads, compares and restores the versions of a workflow."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.optimistic_lock import check_version
from crewai_runner.core.paging import decode_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.features.idempotency.service import IdempotencyService
from crewai_runner.features.workflows.crud.records import (
    StoredVersion,
    WorkflowRecords,
    redact_secrets,
    to_workflow_read,
)
from crewai_runner.features.workflows.schemas import (
    DefinitionChange,
    RestoreRequest,
    VersionDiff,
    VersionPage,
    VersionRead,
    VersionSummary,
    WorkflowRead,
)
from crewai_runner.features.workflows.versions.diff import diff_definitions, unified_diff


class WorkflowHistory:
    """Versions never change; restoring one creates a new one."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._session = session
        self._records = WorkflowRecords(session)
        self._mask = mask

    async def list_page(
        self, principal: Principal, workflow_id: str, limit: int, cursor: str | None
    ) -> VersionPage:
        """Return one page, newest first. Raises WorkflowNotFound, BadRequest for an invalid cursor."""
        row = await self._records.get(principal, workflow_id)
        before = None if cursor is None else _check_version_number(decode_cursor(cursor, 1)[0])
        rows = await self._records.repository.list_versions(row.id, row.workspace_id, before, limit + 1)
        versions = [VersionSummary.model_validate(found) for found in rows[:limit]]
        next_cursor = encode_cursor(versions[-1].number) if len(rows) > limit else None
        return redact_secrets(VersionPage(versions=versions, next_cursor=next_cursor), self._mask, principal)

    async def get(self, principal: Principal, workflow_id: str, number: int) -> VersionRead:
        """Return one version. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        version = await self._records.get_version(row, number)
        summary = VersionSummary.model_validate(version.row)
        read = VersionRead(
            **summary.model_dump(by_alias=False),
            workflow_id=row.id,
            yaml=version.row.yaml,
            definition=version.definition,
        )
        return redact_secrets(read, self._mask, principal)

    async def restore(
        self, principal: Principal, workflow_id: str, number: int, expected: int | None, key: str | None
    ) -> WorkflowRead:
        """Create a new version with the text of an old one, which is not validated again.

        Raises WorkflowNotFound, VersionNotFound, StaleVersion, WorkflowNameTaken, IdempotencyKeyReused.
        """

        async def restore() -> WorkflowRead:
            row = await self._records.get(principal, workflow_id, lock=True)
            check_version(row.version, expected)
            old = await self._records.get_version(row, number)
            newest = await self._records.get_version(row)
            if newest.row.yaml != old.row.yaml:
                note = f"Restored version {number}."
                newest = await self._records.add_version(principal, row, old.row.yaml, old.definition, note)
            return to_workflow_read(row, newest)

        idempotent = IdempotencyService(
            self._session, principal.workspace_id, "workflows:restore_version", key
        )
        request = RestoreRequest(workflow_id=workflow_id, number=number, expected=expected)
        return redact_secrets(await idempotent(WorkflowRead, request, restore), self._mask, principal)

    async def diff(
        self, principal: Principal, workflow_id: str, before: int, after: int | None
    ) -> VersionDiff:
        """Compare two versions; `after` None is the newest. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        old = await self._records.get_version(row, before)
        new = await self._records.get_version(row, after)
        return redact_secrets(await asyncio.to_thread(_compare, old, new), self._mask, principal)


def _check_version_number(key: str | int) -> int:
    if not isinstance(key, int) or not 0 < key < 2**31:
        raise BadRequest("The cursor is not valid; start again without it.")
    return key


def _compare(old: StoredVersion, new: StoredVersion) -> VersionDiff:
    # Attribute names, because documents use them, too.
    before, after = (version.definition.model_dump(mode="json", by_alias=False) for version in (old, new))
    old_number, new_number = old.row.number, new.row.number
    return VersionDiff(
        from_version=old_number,
        to_version=new_number,
        text=unified_diff(old.row.yaml, new.row.yaml, f"version {old_number}", f"version {new_number}"),
        changes=[
            DefinitionChange.model_validate(change, from_attributes=True)
            for change in diff_definitions(before, after)
        ],
    )
