"""Things that wait for a session's commit: released by it, forgotten by a rollback."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

T = TypeVar("T")


class Pending(Generic[T]):
    """Keeps each thing with the transaction it was added in, savepoints included."""

    def __init__(self, release: Callable[[T], None]) -> None:
        self._release = release
        self._kept: WeakKeyDictionary[Session, list[tuple[SessionTransaction, T]]] = WeakKeyDictionary()

    def add(self, session: Session, thing: T) -> None:
        """Keep `thing` until the session's transaction, begun now if there is none, ends."""
        if session not in self._kept:
            self._kept[session] = []
            event.listen(session, "after_commit", self._committed)
            event.listen(session, "after_soft_rollback", self._rolled_back)
        transaction = session.get_nested_transaction() or session.get_transaction() or session.begin()
        self._kept[session].append((transaction, thing))

    def _committed(self, session: Session) -> None:
        # The hook is rung for a savepoint's release too: that only hands its things to the parent.
        savepoint = session.get_nested_transaction()
        if savepoint is not None and savepoint.parent is not None:
            parent = savepoint.parent
            self._kept[session] = [
                (parent if t is savepoint else t, thing) for t, thing in self._kept[session]
            ]
            return
        released, self._kept[session] = self._kept[session], []
        for _, thing in released:
            self._release(thing)

    def _rolled_back(self, session: Session, ended: SessionTransaction) -> None:
        self._kept[session] = [(t, thing) for t, thing in self._kept[session] if not _within(t, ended)]


def _within(transaction: SessionTransaction | None, ancestor: SessionTransaction) -> bool:
    while transaction is not None:
        if transaction is ancestor:
            return True
        transaction = transaction.parent
    return False
