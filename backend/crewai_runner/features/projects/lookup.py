"""Finds projects by what clients of CrewAI know of them: a name, or a slug."""

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix
from crewai_runner.core.principal import Principal
from crewai_runner.core.text import replace_unstorable
from crewai_runner.features.projects.errors import ProjectNotFound
from crewai_runner.features.projects.repository import ProjectRepository


class ProjectLookup:
    """Finds projects of the principal's workspace."""

    def __init__(self, session: AsyncSession) -> None:
        self._repository = ProjectRepository(session)

    async def find_by_name(self, principal: Principal, name: str) -> str:
        """Return the id of the project with this name, the oldest of several. Raises ProjectNotFound."""
        found = await self._repository.find_by_name(replace_unstorable(name), principal.workspace_id)
        if found is None:
            raise ProjectNotFound(name)
        return found

    async def find_by_slug(self, principal: Principal, slug: str) -> str:
        """Return the id of the project with this slug or id. Raises ProjectNotFound."""
        workspace_id = principal.workspace_id
        if has_prefix(slug, Prefix.PROJECT):
            row = await self._repository.get(slug, workspace_id)
            found = None if row is None else row.id
        else:
            found = await self._repository.find_by_slug(replace_unstorable(slug), workspace_id)
        if found is None:
            raise ProjectNotFound(slug)
        return found

    async def find_ready_version(self, principal: Principal, project_id: str) -> int | None:
        """Return the number of the newest version that can run, if there is one."""
        return await self._repository.find_ready_version(project_id, principal.workspace_id)
