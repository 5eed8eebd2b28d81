"""A lock for changes to what a workspace has only one of."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.workspaces import WorkspaceRow


async def lock_workspace(session: AsyncSession, workspace_id: str) -> None:
    """Hold the lock until the transaction ends. Rows that refer to the workspace can be inserted meanwhile.

    On SQLite there is only one writing transaction at a time.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    query = select(WorkspaceRow.id).where(WorkspaceRow.id == workspace_id)
    await session.execute(query.with_for_update(key_share=True))
