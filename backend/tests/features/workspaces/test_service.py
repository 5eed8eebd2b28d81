from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE
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
