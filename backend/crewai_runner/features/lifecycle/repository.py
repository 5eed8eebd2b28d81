"""Queries on what an attempt has left open."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, bindparam, case, func, select

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.runs import MessageRow, RunEventRow, RunTaskRow
from crewai_runner.domain.open_steps import ENDS, STARTS
from crewai_runner.domain.run import TaskState

_EVENTS, _TASKS, _MESSAGES = table_of(RunEventRow), table_of(RunTaskRow), table_of(MessageRow)
CALL_STARTS, CALL_ENDS = ("llm.started",), ("llm.completed", "llm.failed")


class OpenWork(NamedTuple):
    """How many calls, steps, tasks and messages of a run have not ended."""

    calls: int
    steps: int
    tasks: int
    messages: int


def _balance(starts: tuple[str, ...], ends: tuple[str, ...]) -> ColumnElement[int]:
    """Return how many more events start something than end it."""
    step = case((_EVENTS.c.type.in_(starts), 1), (_EVENTS.c.type.in_(ends), -1), else_=0)
    return func.coalesce(func.sum(step), 0)


def _count_open() -> Select[*tuple[Any, ...]]:
    is_task = _TASKS.c.run_id == bindparam("run")
    tasks = select(func.count()).where(is_task, _TASKS.c.state == TaskState.RUNNING)
    messages = select(func.count()).where(
        _MESSAGES.c.run_id == bindparam("run"),
        _MESSAGES.c.state.in_(bindparam("message_states", expanding=True)),
    )
    return select(
        _balance(CALL_STARTS, CALL_ENDS),
        _balance(STARTS, ENDS),
        tasks.scalar_subquery(),
        messages.scalar_subquery(),
    ).where(
        _EVENTS.c.run_id == bindparam("run"),
        _EVENTS.c.type.in_((*CALL_STARTS, *CALL_ENDS, *STARTS, *ENDS)),
    )


_COUNT_OPEN = _count_open()
"""Built once: to build a statement costs as much as to execute it."""


class OpenWorkRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, run_id: str, open_message_states: tuple[str, ...]) -> OpenWork:
        """Count what is open, in one statement."""
        values = {"run": run_id, "message_states": open_message_states}
        return OpenWork(*self._connection.execute(_COUNT_OPEN, values).one())
