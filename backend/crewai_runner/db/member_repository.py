"""The query for someone in a workspace by their e-mail address."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.people import MembershipRow, PersonRow


async def find_member(session: AsyncSession, workspace_id: str, email: str) -> str | None:
    """Return the id of someone in the workspace; `email` is in lower case."""
    query = select(PersonRow.id).join(MembershipRow, MembershipRow.person_id == PersonRow.id)
    return await session.scalar(
        query.where(MembershipRow.workspace_id == workspace_id, PersonRow.email == email)
    )
