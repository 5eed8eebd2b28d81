import asyncio

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.workspaces.service import WorkspaceService


async def test_the_builtin_workspace_is_made_once(session: AsyncSession) -> None:
    there = await session.get(WorkspaceRow, BUILTIN_WORKSPACE)
    assert there is not None
    await session.delete(there)
    await session.flush()

    for _ in range(2):
        await WorkspaceService(session).ensure_builtin()
        await session.flush()

    made = await session.get(WorkspaceRow, BUILTIN_WORKSPACE)
    assert made is not None
    assert made.name == "Default"


async def test_two_processes_that_start_at_once_may_both_make_it(sessions: Sessions) -> None:
    async with unit_of_work(sessions) as session:
        await session.execute(delete(WorkspaceRow))

    async def start_second() -> None:
        async with unit_of_work(sessions) as session:
            await WorkspaceService(session).ensure_builtin()

    async with unit_of_work(sessions) as first:
        await WorkspaceService(first).ensure_builtin()
        await first.flush()
        second = asyncio.create_task(start_second())
        await asyncio.sleep(0.2)
        assert not second.done()
    await second

    async with read_session(sessions) as session:
        assert list(await session.scalars(select(WorkspaceRow.id))) == [BUILTIN_WORKSPACE]
