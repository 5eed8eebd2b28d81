"""Lists and exports the audit log."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from crewai_runner.core.ids import Prefix
from crewai_runner.core.paging import decode_id_cursor, make_page
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.domain.audit_record import INSTANCE_CHAIN, AuditRecord, dump_canonical
from crewai_runner.features.audit.repository import AuditListRepository
from crewai_runner.features.audit.schemas import AuditEntryRead, AuditExportFormat, AuditFilter, AuditPage
from crewai_runner.features.audit.verification import AuditVerification

__all__ = ["AuditService", "AuditVerification"]

EXPORT_ROWS = 1000
"""Rows that an export reads at once."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CSV_COLUMNS = tuple(field.alias or name for name, field in AuditEntryRead.model_fields.items())


Read = Callable[[AuditListRepository], list[AuditRecord]]
Names = Mapping[str, str]


class AuditService:
    """Shows the rows of the caller's workspace; to administrators of the server also those of none."""

    def __init__(self, reader: SnapshotReader, principal: Principal) -> None:
        self._reader = reader
        self._chains = [principal.workspace_id]
        if principal.has_scope(Scope.INSTANCE_ADMIN):
            self._chains.append(INSTANCE_CHAIN)

    async def list_page(self, wanted: AuditFilter, limit: int, cursor: str | None) -> AuditPage:
        """Return one page, newest first. Raises BadRequest."""
        before = decode_id_cursor(cursor, Prefix.AUDIT_ENTRY)

        def read(repository: AuditListRepository) -> list[AuditRecord]:
            return repository.list_page(self._chains, wanted, before, limit + 1)

        rows, names = await self._read(read)
        page = make_page(rows, limit, lambda row: row.id)
        entries = [_to_schema(row, names) for row in page.items]
        return AuditPage(entries=entries, next_cursor=page.next_cursor)

    async def export(self, wanted: AuditFilter, form: AuditExportFormat) -> AsyncIterator[bytes]:
        """Yield all rows that match, chain by chain, the oldest first.

        JSON lines contain exactly what was hashed, and the hash: `crewai-runner audit verify` reads them.
        """
        if form is AuditExportFormat.CSV:
            yield _format_csv([CSV_COLUMNS])
        for chain in self._chains:
            async for rows, names in self._read_all(chain, wanted):
                if form is AuditExportFormat.CSV:
                    yield _format_csv([_list_cells(_show(row, names)) for row in rows])
                else:
                    yield b"".join(dump_canonical(row.to_json()).encode() + b"\n" for row in rows)

    async def _read_all(
        self, chain: str, wanted: AuditFilter
    ) -> AsyncIterator[tuple[list[AuditRecord], Names]]:
        after: str | None = None
        while True:
            start = after

            def read(repository: AuditListRepository, start: str | None = start) -> list[AuditRecord]:
                return repository.list_after(chain, wanted, start, EXPORT_ROWS)

            rows, names = await self._read(read)
            if rows:
                yield rows, names
            if len(rows) < EXPORT_ROWS:
                return
            after = rows[-1].id

    async def _read(self, read: Read) -> tuple[list[AuditRecord], Names]:
        return await self._reader.run(lambda connection: _with_names(AuditListRepository(connection), read))


def _with_names(repository: AuditListRepository, read: Read) -> tuple[list[AuditRecord], Names]:
    rows = read(repository)
    return rows, repository.list_names([row.actor_id for row in rows if row.actor_id is not None])


def _show(row: AuditRecord, names: Names) -> dict[str, Any]:
    return row.to_json() | {"actorName": names.get(row.actor_id or "")}


def _to_schema(row: AuditRecord, names: Names) -> AuditEntryRead:
    """Return a row. What someone has changed in the database must not make the list unreadable."""
    try:
        return AuditEntryRead.model_validate(_show(row, names))
    except ValidationError:
        return AuditEntryRead.model_validate(_show(row, names) | {"changes": []})


def _list_cells(row: Mapping[str, Any]) -> list[str]:
    return [_format_cell(row[name]) for name in CSV_COLUMNS]


def _format_cell(value: object) -> str:
    """Return a cell that a spreadsheet shows as text: it would compute what begins like a formula."""
    if isinstance(value, list):
        return dump_canonical(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _format_csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
