"""Runs a callback for each item added to a session, once its transaction commits."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

T = TypeVar("T")


class AfterCommit(Generic[T]):
    """Holds items until their transaction commits; a rollback, also of a savepoint, drops them."""

    def __init__(self, callback: Callable[[T], None]) -> None:
        self._callback = callback
        self._items: WeakKeyDictionary[Session, list[tuple[SessionTransaction, T]]] = WeakKeyDictionary()

    def add(self, session: Session, item: T) -> None:
        """Hold `item` until the session's current transaction ends; begin one if there is none."""
        if session not in self._items:
            self._items[session] = []
            event.listen(session, "after_commit", self._on_commit)
            event.listen(session, "after_soft_rollback", self._on_rollback)
        transaction = session.get_nested_transaction() or session.get_transaction() or session.begin()
        self._items[session].append((transaction, item))

    def _on_commit(self, session: Session) -> None:
        # SQLAlchemy also calls this hook for the release of a savepoint, whose items pass to its parent.
        savepoint = session.get_nested_transaction()
        if savepoint is not None and savepoint.parent is not None:
            parent = savepoint.parent
            self._items[session] = [
                (parent if t is savepoint else t, item) for t, item in self._items[session]
            ]
            return
        committed, self._items[session] = self._items[session], []
        for _, item in committed:
            self._callback(item)

    def _on_rollback(self, session: Session, ended: SessionTransaction) -> None:
        self._items[session] = [(t, item) for t, item in self._items[session] if not _is_within(t, ended)]


def _is_within(transaction: SessionTransaction | None, ancestor: SessionTransaction) -> bool:
    while transaction is not None:
        if transaction is ancestor:
            return True
        transaction = transaction.parent
    return False
