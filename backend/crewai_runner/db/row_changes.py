"""Adds to the current audit entry which audited columns of which rows a transaction changes.

`Base.audited` of a table class names them. Statements that change rows without loading them are not seen.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic.alias_generators import to_camel
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from crewai_runner.db.base import AuditedColumns, Base
from crewai_runner.domain.audit_entry import SECRET, AuditEntry, find_entry
from crewai_runner.domain.audit_record import format_time


def record_changes(session_class: type[Session]) -> type[Session]:
    """Let all sessions of a class add their changes to the current entry; returns the class."""
    event.listen(session_class, "after_flush", _on_flush)
    return session_class


def _on_flush(session: Session, _context: Any) -> None:
    entry = find_entry()
    if entry is None:
        return
    for row in session.new:
        _add(entry, row, is_new=True)
    for row in session.dirty:
        _add(entry, row)
    for row in session.deleted:
        _add(entry, row, is_deleted=True)


def _add(entry: AuditEntry, row: Base, *, is_new: bool = False, is_deleted: bool = False) -> None:
    audited = row.audited
    if audited is None:
        return
    changes = list(_list_changes(row, audited, is_deleted=is_deleted))
    identifier = getattr(row, "id", None)
    if (is_new or changes) and isinstance(identifier, str):
        entry.find_target(audited.kind, identifier)
    for column, before, after in changes:
        name = f"{audited.kind}.{to_camel(audited.names.get(column, column))}"
        is_secret = column in audited.secrets
        entry.add_change(name, *(_hide(value) if is_secret else _to_json(value) for value in (before, after)))
        if is_secret and before is not None and after is not None:
            entry.add_change(name, SECRET, f"{SECRET} (new)")


def _list_changes(row: Base, audited: AuditedColumns, *, is_deleted: bool) -> Iterator[tuple[str, Any, Any]]:
    state = inspect(row)
    for column in (*audited.columns, *audited.secrets):
        attribute = state.attrs[column]
        if is_deleted:
            yield column, attribute.loaded_value if column in state.dict else None, None
        elif attribute.history.has_changes():
            before = next(iter(attribute.history.deleted or ()), None)
            yield column, before, next(iter(attribute.history.added or ()), None)


def _hide(value: object) -> str | None:
    return None if value is None else SECRET


def _to_json(value: Any) -> Any:
    return format_time(value) if isinstance(value, datetime) else value
