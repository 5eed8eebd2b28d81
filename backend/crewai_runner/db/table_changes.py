"""Tells a listener after each commit that changed rows of certain tables, for caches of their rows."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Table, event
from sqlalchemy.orm import ORMExecuteState, Session

from crewai_runner.db.base import Base, table_of

_CHANGED = "crewai_runner_tables_changed"


def watch_tables(
    entities_by_topic: Mapping[str, Collection[type[Base]]], on_change: Callable[[set[str]], None]
) -> type[Session]:
    """Return a class of sessions that call `on_change` with topics after a commit that changed their tables.

    `on_change` runs where the commit runs, before the caller of the commit continues.
    """
    topics = {table_of(entity): topic for topic, entities in entities_by_topic.items() for entity in entities}

    class WatchedSession(Session):
        pass

    def add(session: Session, table: Table | None) -> None:
        if table in topics:
            session.info.setdefault(_CHANGED, set()).add(topics[table])

    def on_flush(session: Session, _context: Any) -> None:
        for row in (*session.new, *session.dirty, *session.deleted):
            add(session, table_of(type(row)))

    def on_execute(state: ORMExecuteState) -> None:
        if state.is_insert or state.is_update or state.is_delete:
            add(state.session, _table_of_statement(state))

    def on_commit(session: Session) -> None:
        savepoint = session.get_nested_transaction()
        is_released_savepoint = savepoint is not None and savepoint.parent is not None
        if not is_released_savepoint and (changed := session.info.pop(_CHANGED, None)):
            on_change(changed)

    event.listen(WatchedSession, "after_flush", on_flush)
    event.listen(WatchedSession, "do_orm_execute", on_execute)
    event.listen(WatchedSession, "after_commit", on_commit)
    return WatchedSession


def _table_of_statement(state: ORMExecuteState) -> Table | None:
    table = getattr(state.statement, "table", None)
    return table if isinstance(table, Table) else None
