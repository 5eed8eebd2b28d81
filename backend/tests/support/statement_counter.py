"""Counts the statements and transactions of one run, those of the queue apart from the product's."""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, event

from crewai_runner.queue.database_engine import QUEUE_TABLES

_QUEUE_TABLE = re.compile(rf"\b({'|'.join(sorted(QUEUE_TABLES))})\b")
_OUTPUT = re.compile(r"INTO (\w+\.)?workflow_output\b")
_CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")


class Totals(NamedTuple):
    statements: int
    transactions: int


@dataclass(slots=True)
class Counts:
    """Statements without BEGIN and COMMIT, and the transactions that contain at least one of them."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0

    def add(self, statements: list[str]) -> None:
        self.statements += statements
        self.transactions += bool(statements)

    @property
    def totals(self) -> Totals:
        return Totals(len(self.statements), self.transactions)


class StatementCounter:
    """Records the statements of engines. Transactions of different connections are told apart."""

    def __init__(self) -> None:
        self._open: dict[Connection, list[tuple[str, str]]] = {}
        self._product: list[list[tuple[str, str]]] = []
        self._queue: list[list[tuple[str, str]]] = []

    def watch(self, engine: Engine, *, of_queue: bool = False) -> None:
        """Record the statements of an engine, which is the queue's or the product's."""
        ended = self._queue if of_queue else self._product
        event.listen(engine, "before_cursor_execute", self._add)
        event.listen(engine, "begin", self._begin)
        for name in ("commit", "rollback"):
            event.listen(engine, name, partial(self._end, ended))

    def clear(self) -> None:
        """Forget what was recorded."""
        self._product.clear()
        self._queue.clear()

    def count_product(self) -> Counts:
        """Every statement on the product's tables."""
        counts = Counts()
        for transaction in self._product:
            counts.add([sql for sql, _ in transaction if not _QUEUE_TABLE.search(sql)])
        return counts

    def count_queue(self, run_id: str) -> Counts:
        """The statements on the queue's tables that name the run: polls depend on the time that passes."""
        counts = Counts()
        for transaction in [*self._product, *self._queue]:
            named = [sql for sql, given in transaction if run_id in given]
            counts.add([sql for sql in named if _QUEUE_TABLE.search(sql)])
        return counts

    def has_ended(self, run_id: str) -> bool:
        """Whether the queue has recorded the end of the run's job."""
        return any(_OUTPUT.search(sql) for sql in self.count_queue(run_id).statements)

    def _begin(self, connection: Connection) -> None:
        self._open[connection] = []

    def _end(self, ended: list[list[tuple[str, str]]], connection: Connection) -> None:
        if (statements := self._open.pop(connection, None)) is not None:
            ended.append(statements)

    def _add(
        self, connection: Connection, _cursor: Any, sql: str, parameters: Any, _context: Any, _many: bool
    ) -> None:
        if not sql.startswith(_CONTROL):
            self._open.setdefault(connection, []).append((" ".join(sql.split()), repr(parameters)))
