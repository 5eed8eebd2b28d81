import asyncio

import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.core.roles import server_principal
from crewai_runner.db.session import Sessions, read_session, unit_of_work
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.workspaces.service import WorkspaceDeps, WorkspaceService

pytestmark = pytest.mark.each_database


def workspaces(session: AsyncSession, furnished: list[str] | None = None) -> WorkspaceService:
    async def furnish(_session: AsyncSession, workspace_id: str) -> None:
        if furnished is not None:
            furnished.append(workspace_id)

    return WorkspaceService(session, WorkspaceDeps(furnish))


class TestFurnishing:
    async def test_a_new_workspace_and_those_that_exist_get_the_builtin_model(
        self, session: AsyncSession
    ) -> None:
        furnished: list[str] = []
        created = await workspaces(session, furnished).create(server_principal(), "Lab")
        assert furnished == [created.workspace.id]

        await workspaces(session, furnished).furnish_all()

        assert {BUILTIN_WORKSPACE, created.workspace.id} <= set(furnished[1:])


class TestEnsureBuiltin:
    async def test_creates_the_workspace_once(self, session: AsyncSession) -> None:
        existing = await session.get(WorkspaceRow, BUILTIN_WORKSPACE)
        assert existing is not None
        await session.delete(existing)
        await session.flush()

        for _ in range(2):
            await workspaces(session).ensure_builtin()
            await session.flush()

        created = await session.get(WorkspaceRow, BUILTIN_WORKSPACE)
        assert created is not None
        assert created.name == "Default"

    async def test_two_processes_may_create_it_concurrently(self, sessions: Sessions) -> None:
        async with unit_of_work(sessions) as session:
            await session.execute(delete(WorkspaceRow))

        async def start_second() -> None:
            async with unit_of_work(sessions) as session:
                await workspaces(session).ensure_builtin()

        async with unit_of_work(sessions) as first:
            await workspaces(first).ensure_builtin()
            await first.flush()
            second = asyncio.create_task(start_second())
            await asyncio.sleep(0.2)
            assert not second.done()
        await second

        async with read_session(sessions) as session:
            assert list(await session.scalars(select(WorkspaceRow.id))) == [BUILTIN_WORKSPACE]
