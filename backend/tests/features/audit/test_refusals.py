"""A flood of refused attempts causes a bounded number of rows, and every attempt is counted."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.session import Sessions, read_session
from crewai_runner.db.tables.audit import AuditRow
from crewai_runner.domain.audit_entry import Actor, ActorKind, AuditEntry, Origin, Target
from crewai_runner.features.audit.refusals import (
    BURST,
    MAX_GROUPS,
    OTHERS,
    REPEAT_SECONDS,
    SECONDS_PER_ROW,
    RefusedAttempts,
)
from tests.support.harness import ON_SQLITE

pytestmark = ON_SQLITE
HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(sessions: Sessions, clock: Clock) -> RefusedAttempts:
    return RefusedAttempts(sessions, clock)


def attempt(address: str = "192.0.2.1", target: str | None = None, **more: Any) -> dict[str, Any]:
    given = {"actor": Actor(ActorKind.ANONYMOUS)} | more
    origin = Origin(
        "authenticate",
        is_change=False,
        address=address,
        target=None if target is None else Target("run", target),
        **given,
    )
    entry = AuditEntry(lambda: origin)
    entry.problem = "unauthenticated"
    return entry.build_refusal()


async def list_rows(sessions: Sessions) -> Sequence[AuditRow]:
    async with read_session(sessions) as session:
        return (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()


async def sum_counts(sessions: Sessions) -> int:
    async with read_session(sessions) as session:
        return await session.scalar(select(func.sum(AuditRow.count))) or 0


async def test_equal_attempts_share_a_row(
    refusals: RefusedAttempts, sessions: Sessions, clock: Clock
) -> None:
    refusals.add(attempt())
    await refusals.store_due()
    for _ in range(50):
        refusals.add(attempt())
    await refusals.store_due()
    assert [row.count for row in await list_rows(sessions)] == [1]

    clock.seconds += REPEAT_SECONDS
    await refusals.store_due()

    assert [row.count for row in await list_rows(sessions)] == [1, 50]


async def test_flood_from_many_addresses_is_bounded_and_counted(
    refusals: RefusedAttempts, sessions: Sessions, clock: Clock
) -> None:
    for _ in range(int(HOUR // 10)):
        for number in range(30):
            refusals.add(attempt(f"2001:db8:{int(clock.seconds):x}:{number:x}::1"))
        await refusals.store_due()
        clock.seconds += 10

    rows = await list_rows(sessions)
    assert len(rows) <= BURST + HOUR / SECONDS_PER_ROW
    assert len(refusals._groups[True]) <= MAX_GROUPS + 1

    await refusals.store_due(is_last=True)
    assert await sum_counts(sessions) == 30 * HOUR // 10
    assert OTHERS in {row.reason for row in await list_rows(sessions)}


async def test_strangers_do_not_use_up_the_rows_of_members(
    refusals: RefusedAttempts, sessions: Sessions
) -> None:
    for number in range(2 * BURST):
        refusals.add(attempt(f"192.0.2.{number}"))
    member = Actor(ActorKind.API_KEY, "key_1")
    refusals.add(attempt(actor=member, workspace_id=BUILTIN_WORKSPACE))
    await refusals.store_due()

    assert [row.actor_id for row in await list_rows(sessions) if row.actor_id] == ["key_1"]
    assert len(await list_rows(sessions)) == BURST + 1


async def test_members_may_not_flood_either(refusals: RefusedAttempts, sessions: Sessions) -> None:
    member = Actor(ActorKind.API_KEY, "key_1")
    for number in range(5 * MAX_GROUPS):
        refusals.add(attempt(target=f"run_{number}", actor=member, workspace_id=BUILTIN_WORKSPACE))
    await refusals.store_due()

    assert len(await list_rows(sessions)) == BURST
