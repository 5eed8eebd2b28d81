"""Deploys projects for CrewAI's command line."""

from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.features.projects.deployments.descriptions import (
    describe_deployed,
    describe_entry,
    describe_project,
    list_log_lines,
)
from crewai_runner.features.projects.deployments.errors import DeploymentLogNotFound
from crewai_runner.features.projects.deployments.form import DeploymentForm
from crewai_runner.features.projects.deployments.rules import describe_left_out
from crewai_runner.features.projects.deployments.schemas import (
    Deployed,
    DeploymentEntry,
    DeploymentLogLine,
    DeploymentRead,
)
from crewai_runner.features.projects.lookup import ProjectLookup
from crewai_runner.features.projects.project_secrets import ProjectSecrets
from crewai_runner.features.projects.schemas import ProjectUploaded
from crewai_runner.features.projects.service import ProjectDeps, ProjectService
from crewai_runner.features.projects.versions import ProjectVersions

MAX_LISTED = 1000
BUILT_AGAIN = (
    "The files that were uploaded last are built again. This server does not read git repositories: to "
    "deploy changed files, push from a copy without the remote `origin`, or with `crewai-runner push`."
)


class DeploymentService:
    """A deployment is a project, and its uuid the project's id. Methods with one raise ProjectNotFound.

    `base_url` is the address of this server, for the links in the response.
    """

    def __init__(self, session: AsyncSession, deps: ProjectDeps) -> None:
        self._projects = ProjectService(session, deps)
        self._versions = ProjectVersions(session, deps)
        self._secrets = ProjectSecrets(session, deps)
        self._lookup = ProjectLookup(session)

    async def find(self, principal: Principal, name: str) -> str:
        """Return the uuid of the deployment with this name."""
        return await self._lookup.find_by_name(principal, name)

    async def create(self, principal: Principal, form: DeploymentForm, base_url: str) -> Deployed:
        """Create a project and queue its build; a name that is taken gets a number. Raises TooManySecrets."""
        created = await self._projects.create(principal, form.upload)
        return await self._finish(principal, form, created, base_url)

    async def update(self, principal: Principal, uuid: str, form: DeploymentForm, base_url: str) -> Deployed:
        """Add a version and queue its build; equal content adds none. Raises TooManySecrets."""
        added = await self._projects.upload(principal, uuid, form.upload)
        return await self._finish(principal, form, added, base_url)

    async def _finish(
        self, principal: Principal, form: DeploymentForm, uploaded: ProjectUploaded, base_url: str
    ) -> Deployed:
        """Store the variables, which replace earlier values: unlike a file, they were sent for this."""
        if form.variables:
            await self._secrets.set(principal, uploaded.project.id, form.variables)
        messages = [*([describe_left_out(form.left_out)] if form.left_out else []), *uploaded.warnings]
        return describe_deployed(uploaded.project, base_url, messages)

    async def rebuild(self, principal: Principal, uuid: str, base_url: str) -> Deployed:
        """Build the newest version again. Raises BuildInProgress."""
        project = await self._projects.get(principal, uuid)
        await self._versions.build_again(principal, uuid, project.newest_version)
        return describe_deployed(await self._projects.get(principal, uuid), base_url, [BUILT_AGAIN])

    async def list_all(self, principal: Principal) -> list[DeploymentEntry]:
        """Return the newest thousand."""
        page = await self._projects.list_page(principal, None, MAX_LISTED, None)
        return [describe_entry(project) for project in page.projects]

    async def get(self, principal: Principal, uuid: str, base_url: str) -> DeploymentRead:
        return describe_project(await self._projects.get(principal, uuid), base_url)

    async def list_log(self, principal: Principal, uuid: str, kind: str) -> list[DeploymentLogLine]:
        """Return the log of the newest version. Raises DeploymentLogNotFound."""
        project = await self._projects.get(principal, uuid)
        if kind != "deployment":
            raise DeploymentLogNotFound(kind)
        texts = [text async for text in self._read_log(principal, uuid, project.newest_version)]
        return list_log_lines(project.version, texts)

    async def _read_log(self, principal: Principal, uuid: str, number: int) -> AsyncIterator[str]:
        after = 0
        while (page := await self._versions.get_log(principal, uuid, number, after)).text:
            yield page.text
            after = page.next

    async def delete(self, principal: Principal, uuid: str) -> None:
        """Delete the project. Raises ProjectInUse."""
        await self._projects.delete(principal, uuid, None)
