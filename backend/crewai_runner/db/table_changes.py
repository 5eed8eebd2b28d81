"""Tells a listener after each commit that changed rows of certain tables, for caches of their rows."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Table, event
from sqlalchemy.orm import ORMExecuteState, Session

from crewai_runner.db.base import Base, table_of

_CHANGED = "crewai_runner_tables_changed"


def watch_tables(entities: Collection[type[Base]], on_change: Callable[[], None]) -> type[Session]:
    """Return a class of sessions that call `on_change` after a commit that changed one of the tables.

    `on_change` runs where the commit runs, before the caller of the commit continues.
    """
    tables = {table_of(entity) for entity in entities}

    class WatchedSession(Session):
        pass

    def on_flush(session: Session, _context: Any) -> None:
        objects = [*session.new, *session.dirty, *session.deleted]
        if any(isinstance(row, tuple(entities)) for row in objects):
            session.info[_CHANGED] = True

    def on_execute(state: ORMExecuteState) -> None:
        if (state.is_insert or state.is_update or state.is_delete) and _table_of_statement(state) in tables:
            state.session.info[_CHANGED] = True

    def on_commit(session: Session) -> None:
        savepoint = session.get_nested_transaction()
        is_released_savepoint = savepoint is not None and savepoint.parent is not None
        if not is_released_savepoint and session.info.pop(_CHANGED, False):
            on_change()

    event.listen(WatchedSession, "after_flush", on_flush)
    event.listen(WatchedSession, "do_orm_execute", on_execute)
    event.listen(WatchedSession, "after_commit", on_commit)
    return WatchedSession


def _table_of_statement(state: ORMExecuteState) -> Table | None:
    table = getattr(state.statement, "table", None)
    return table if isinstance(table, Table) else None
