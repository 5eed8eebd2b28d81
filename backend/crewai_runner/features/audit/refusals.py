"""Records refused attempts, with a limit on the rows that they can cause.

Nothing waits for the database: attempts are counted in memory and stored a second later, equal ones as one
row with their number. A process stores at most `BURST` rows at once and then one every `SECONDS_PER_ROW`,
apart for callers with and without valid credentials. What is refused beyond that is counted in one more row.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.client_address import get_limited_address
from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.logging import get_logger
from crewai_runner.core.waiting import wait_event
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.domain.audit_entry import ActorKind
from crewai_runner.domain.audit_record import INSTANCE_CHAIN
from crewai_runner.features.audit.repository import AuditRepository

log = get_logger(__name__)
BURST = 100
SECONDS_PER_ROW = 10.0
REPEAT_SECONDS = 60.0
"""Equal attempts after the first one are stored together, this often."""
MAX_GROUPS = 1000
"""Different attempts that a process counts at the same time, of callers with and without credentials each."""
STORE_SECONDS = 1.0
IDLE_SECONDS = 30.0
OTHERS = "too-many-to-list"
"""The reason of the row that counts what has no row of its own."""
_EQUAL = ("reason", "operation", "chain", "actor_kind", "actor_id", "target_id")


@dataclass(slots=True)
class _Group:
    """Equal attempts. `row` is that of the first one."""

    row: dict[str, Any]
    key_hash: str | None
    due_at: float
    count: int = 1


class _RowBudget:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._rows, self._counted_at = clock, float(BURST), clock()

    def take(self) -> bool:
        """Whether a row may be stored now."""
        moment = self._clock()
        gained = (moment - self._counted_at) / SECONDS_PER_ROW
        self._rows, self._counted_at = min(BURST, self._rows + gained), moment
        if self._rows < 1:
            return False
        self._rows -= 1
        return True


class RefusedAttempts:
    """The refused attempts of one process."""

    def __init__(self, sessions: Sessions, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions, self._clock = sessions, clock
        self._groups: dict[bool, dict[tuple[Any, ...], _Group]] = {True: {}, False: {}}
        self._budgets = {is_anonymous: _RowBudget(clock) for is_anonymous in (True, False)}
        self._added = asyncio.Event()

    def add(self, row: dict[str, Any], key_hash: str | None = None) -> None:
        """Count an attempt. `key_hash`: of the API key that was offered, if it may be a revoked one."""
        groups = self._groups[row["actor_kind"] == ActorKind.ANONYMOUS]
        key = (*(row[name] for name in _EQUAL), get_limited_address(row["address"]), key_hash)
        group = groups.get(key)
        if group is None and len(groups) >= MAX_GROUPS:
            row = _summarize(row)
            key, key_hash = tuple(row[name] for name in _EQUAL), None
            group = groups.get(key)
        if group is None:
            groups[key] = _Group(row, key_hash, self._clock())
        else:
            group.count += 1
        self._added.set()

    async def run(self) -> None:
        """Store what is due until the task is cancelled."""
        while True:
            self._added.clear()
            try:
                await self.store_due()
            except (SQLAlchemyError, OSError) as error:
                log.warning("audit.refusals_not_stored", error=type(error).__name__)
            if not any(self._groups.values()):
                await wait_event(self._added, IDLE_SECONDS)
            await asyncio.sleep(STORE_SECONDS)

    async def store_due(self, *, is_last: bool = False) -> None:
        """Store the rows that are due and within the limit; with `is_last` all that are counted."""
        due = [(group, group.count) for group in self._list_due(is_last=is_last)]
        if not due:
            return
        await self._store(due)
        for group, count in due:
            group.count -= count
            group.due_at = self._clock() + REPEAT_SECONDS

    def _list_due(self, *, is_last: bool) -> Iterator[_Group]:
        moment = self._clock()
        for is_anonymous, groups in self._groups.items():
            for key, group in list(groups.items()):
                if not is_last and group.due_at > moment:
                    continue
                if group.count == 0:
                    del groups[key]
                elif is_last or self._budgets[is_anonymous].take():
                    yield group

    async def _store(self, groups: Sequence[tuple[_Group, int]]) -> None:
        hashes = [group.key_hash for group, _ in groups if group.key_hash is not None]
        async with unit_of_work(self._sessions) as session:
            repository = AuditRepository(session)
            keys = await repository.find_keys(hashes) if hashes else {}
            await repository.add([_build_row(group, count, keys) for group, count in groups])


def _build_row(group: _Group, count: int, keys: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    row = group.row | {"id": new_id(Prefix.AUDIT_ENTRY), "at": now(), "count": count}
    return row | _name_key(keys, group.key_hash)


def _name_key(keys: Mapping[str, tuple[str, str]], key_hash: str | None) -> dict[str, Any]:
    """Return the columns that name a revoked key, in the log of its workspace."""
    if key_hash is None or key_hash not in keys:
        return {}
    key_id, workspace_id = keys[key_hash]
    return {"chain": workspace_id, "target_kind": "api-key", "target_id": key_id}


def _summarize(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row that counts what is refused beyond the limit."""
    is_anonymous = row["actor_kind"] == ActorKind.ANONYMOUS
    return row | {
        "reason": OTHERS,
        "operation": OTHERS,
        "chain": INSTANCE_CHAIN if is_anonymous else row["chain"],
        "actor_id": None,
        "person_id": None,
        "target_kind": None,
        "target_id": None,
        "address": "",
        "request_id": "",
    }
