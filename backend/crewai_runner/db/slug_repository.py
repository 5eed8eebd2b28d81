"""The names in addresses that workflows and projects share: `/amp/{slug}` leads to either."""

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.repository import lock_workspace
from crewai_runner.db.tables.projects import ProjectRow
from crewai_runner.db.tables.workflows import WorkflowRow


async def reserve_slugs(session: AsyncSession, start: str, workspace_id: str) -> set[str]:
    """Return the used slugs that start with a text; no other transaction can add one until this one ends."""
    await lock_workspace(session, workspace_id)
    used = [
        select(table.slug).where(
            table.workspace_id == workspace_id, table.slug.startswith(start, autoescape=True)
        )
        for table in (WorkflowRow, ProjectRow)
    ]
    return set(await session.scalars(union_all(*used)))
