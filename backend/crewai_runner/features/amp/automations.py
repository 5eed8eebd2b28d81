"""What `/amp/{slug}` leads to: a saved workflow, or a project."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.workflow import InputDefinition
from crewai_runner.features.amp.errors import AutomationNotFound
from crewai_runner.features.auth.service import check_scope
from crewai_runner.features.executions.schemas import RunStart
from crewai_runner.features.projects.errors import ProjectNotFound
from crewai_runner.features.projects.service import ProjectDeps, ProjectService
from crewai_runner.features.workflows.errors import WorkflowNotFound
from crewai_runner.features.workflows.service import WorkflowService


@dataclass(frozen=True, slots=True)
class Automation:
    """A saved workflow or a project; one of the ids is None."""

    workflow_id: str | None
    project_id: str | None

    @property
    def id(self) -> str:
        return self.workflow_id or self.project_id or ""

    def has_run(self, run: RunRow) -> bool:
        """Return whether the run is one of this automation."""
        return self == Automation(run.workflow_id, run.project_id)


@dataclass(frozen=True, slots=True)
class RunnableAutomation:
    """An automation whose next run executes `version`; None: the newest."""

    automation: Automation
    version: int | None
    inputs: list[InputDefinition]

    def make_start(self, **request: object) -> RunStart:
        """Return the request to start a run."""
        ids = {"workflow_id": self.automation.workflow_id, "project_id": self.automation.project_id}
        return RunStart.model_validate({**ids, "version": self.version, **request})


class Automations:
    """Each method takes a slug or id. Raises AutomationNotFound, also for another workspace's."""

    def __init__(self, session: AsyncSession, projects: ProjectDeps, mask: SecretMask) -> None:
        self._workflows = WorkflowService(session, mask)
        self._projects = ProjectService(session, projects)

    async def find(self, principal: Principal, slug: str) -> Automation:
        try:
            workflow_id, _ = await self._workflows.find_automation(principal, slug)
        except WorkflowNotFound:
            return Automation(None, await self._find_project(principal, slug))
        return Automation(workflow_id, None)

    async def list_inputs(self, principal: Principal, slug: str) -> list[InputDefinition]:
        """Return the inputs of the workflow, or of the project's newest version that can run.

        Of a project that has none, those of its newest version. Raises ScopeMissing.
        """
        try:
            _, definition = await self._workflows.find_automation(principal, slug)
        except WorkflowNotFound:
            check_scope(principal, Scope.PROJECTS_READ)
            project_id = await self._find_project(principal, slug)
        else:
            return definition.inputs
        return await self._projects.list_inputs(principal, project_id)

    async def resolve(self, principal: Principal, slug: str) -> RunnableAutomation:
        """Return what a kickoff starts. Raises ProjectNotReady, ProjectInvalid."""
        try:
            workflow_id, definition = await self._workflows.find_automation(principal, slug)
        except WorkflowNotFound:
            project_id = await self._find_project(principal, slug)
        else:
            return RunnableAutomation(Automation(workflow_id, None), None, definition.inputs)
        number = await self._projects.find_ready_version(principal, project_id)
        project = await self._projects.resolve_run(principal, project_id, number)
        return RunnableAutomation(Automation(None, project_id), project.version, project.definition.inputs)

    async def _find_project(self, principal: Principal, slug: str) -> str:
        try:
            return await self._projects.find_by_slug(principal, slug)
        except ProjectNotFound:
            raise AutomationNotFound(slug) from None
