"""Builds the executor's input for one attempt: definition, inputs, finished tasks, models with keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.settings import Settings
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.budget import Budget, merge_budgets
from crewai_runner.domain.committed_events import CalledModel
from crewai_runner.domain.provider import ModelKind
from crewai_runner.domain.tools import FILE_TOOLS
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.knowledge_chunks import KnowledgeChunk
from crewai_runner.executor.memory_records import StoredMemory
from crewai_runner.executor.port import ModelBinding, Revision, RunSpec
from crewai_runner.executor.project_code import ProjectCode
from crewai_runner.features.executions.attempt_writes import BegunAttempt
from crewai_runner.features.executions.errors import NoModel, ProviderConfigNeeded
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.project_runs import ProjectRuns
from crewai_runner.features.executions.rules import make_tool_rules, read_tool_results, speaking_model
from crewai_runner.features.knowledge.service import (
    KnowledgeService,
    bind_builtin_embedder,
    identify_embedder,
)
from crewai_runner.features.memories.service import MemoryService
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.runs.schemas import SelectedRow, to_usage
from crewai_runner.features.runs.service import RunService


@dataclass(frozen=True, slots=True)
class SpecifiedAttempt:
    """An attempt that is ready to execute. Its writes carry the fencing token."""

    spec: RunSpec
    fencing_token: int
    workspace_id: str
    limits_spending: bool = False
    """Whether the workspace limits what it spends in a month."""

    @property
    def callable_models(self) -> dict[str, CalledModel]:
        """The models this attempt may call, by the names its events use; without credentials."""
        return {
            binding.name: CalledModel(binding.provider_type, binding.model, binding.is_registered)
            for binding in self.spec.models.values()
        }


@dataclass(frozen=True, slots=True)
class _BoundModels:
    bindings: dict[str, ModelBinding]
    default: str
    embedder: str | None

    def with_builtin_embedder(self) -> "_BoundModels":
        """Add the built-in embedder if there is no other one and it is installed."""
        binding = None if self.embedder is not None else bind_builtin_embedder()
        if binding is None:
            return self
        return _BoundModels(self.bindings | {binding.name: binding}, self.default, binding.name)

    def add_defaults(self, model_map: Mapping[str, str]) -> dict[str, str]:
        """Return a project's map of models in which the defaults answer for all others."""
        defaults = {"*": self.default, "*embedder": self.embedder}
        return {key: name for key, name in defaults.items() if name} | dict(model_map)


@dataclass(slots=True)
class _Recalled:
    """What the crew begins with. `is_outdated`: another model has embedded some of the files."""

    identity: str | None = None
    memories: list[StoredMemory] = field(default_factory=list)
    chunks: list[KnowledgeChunk] = field(default_factory=list)
    is_outdated: bool = False


class RunSpecBuilder:
    def __init__(self, deps: ExecutionDeps) -> None:
        self._deps = deps
        self._project_runs = ProjectRuns(deps)

    async def build(
        self,
        run_id: str,
        fencing_token: int,
        begun: BegunAttempt | None = None,
        *,
        needs_tools: bool = True,
    ) -> SpecifiedAttempt:
        """The attempt's spec; `begun` saves reading the run. Raises an AppError when something is missing."""
        async with read_session(self._deps.sessions) as session:
            run: RunRow | SelectedRow
            if begun is not None:
                run, finished = begun.run, begun.finished_tasks
            else:
                runs = RunService(session)
                run, finished = await runs.get_for_worker(run_id), await runs.get_task_results(run_id)
            definition = WorkflowDefinition.model_validate(run.definition)
            code = await self._project_runs.load(session, run, fencing_token)
            service = KnowledgeService(session, self._deps.knowledge)
            has_files = await _has_knowledge_files(service, run)
            models = await self._bind_models(
                self._deps.models(session), run, definition, code, has_files=has_files
            )
            recalled = await self._recall(session, service, run, definition, models, has_files=has_files)
            tools = await self._deps.tools.bind(session, run.workspace_id, definition) if needs_tools else {}
            files = await RunService(session).list_files(run.id) if FILE_TOOLS & tools.keys() else []
            # The first attempt of a run has no results of earlier ones.
            saved = {} if begun is not None else await RunService(session).get_checkpoints(run_id)
        if recalled.is_outdated and run.workflow_id is not None and recalled.identity is not None:
            async with unit_of_work(self._deps.sessions) as writing:
                again = KnowledgeService(writing, self._deps.knowledge)
                await again.queue_outdated(run.workflow_id, recalled.identity)
        if models.embedder is None:  # the start has warned of it
            definition = definition.model_copy(update={"memory": False})
        spec = RunSpec(
            run_id=run_id,
            attempt=run.attempt,
            definition=definition,
            inputs=run.inputs,
            models=models.bindings,
            default_model=models.default,
            embedder=models.embedder,
            tools={
                name: replace(tool, rules=make_tool_rules(name, definition)) for name, tool in tools.items()
            },
            tool_results=read_tool_results(saved),
            tool_wait_seconds=self._deps.settings.tool_approval_wait_seconds,
            finished_tasks=finished,
            project=None if code is None else replace(code, model_map=models.add_defaults(code.model_map)),
            revision=_to_revision(run.revision),
            budget=self._budget(run, definition),
            prior_usage=to_usage(run),
            budget_seconds_used=run.active_seconds,
            timeout_seconds_used=run.active_seconds - run.seconds_before,
            memories=recalled.memories,
            knowledge=recalled.chunks,
            files=files,
            memory_scope=None if run.workflow_id is None else f"{run.workspace_id}/{run.workflow_id}",
            network_limit=await self._deps.workspace_quota.get_network_limit(run.workspace_id),
            timeout_seconds=definition.timeout_seconds or self._deps.settings.run_timeout_seconds,
        )
        limits_spending = await self._deps.workspace_quota.limits_spending(run.workspace_id)
        return SpecifiedAttempt(spec, fencing_token, run.workspace_id, limits_spending)

    @staticmethod
    async def _recall(
        session: AsyncSession,
        knowledge: KnowledgeService,
        run: RunRow | SelectedRow,
        definition: WorkflowDefinition,
        models: _BoundModels,
        *,
        has_files: bool,
    ) -> _Recalled:
        """Read the memories and the pieces of files that the crew begins with."""
        if models.embedder is None or run.workflow_id is None:
            return _Recalled()
        identity = identify_embedder(models.bindings[models.embedder])
        recalled = _Recalled(identity)
        if definition.memory:
            recalled.memories = await MemoryService(session).load(run.workflow_id, identity)
        if has_files:
            recalled.chunks, recalled.is_outdated = await knowledge.load_chunks(run.workflow_id, identity)
        return recalled

    async def answering_model(self, run_id: str, agent: str | None = None) -> ModelBinding:
        """The model that answers for a run: that of the agent asked, else the first the workflow names.

        The workspace's default answers where the workflow names none, and for an agent without a model.
        Raises NoModel, ModelNotRegistered, ProviderConfigNeeded.
        """
        spec = (await self.build(run_id, fencing_token=0, needs_tools=False)).spec
        return spec.models[speaking_model(spec.definition, agent) or spec.default_model]

    def _budget(self, run: RunRow | SelectedRow, definition: WorkflowDefinition) -> Budget:
        """The strictest of the run's, the workflow's and the settings' limits.

        A budget that a user raised on the run replaces the workflow's.
        """
        run_budget = Budget.model_validate(run.budget)
        workflow_budget = None if run.budget_raised else definition.budget
        return merge_budgets([run_budget, workflow_budget, settings_budget(self._deps.settings)])

    async def _bind_models(
        self,
        models: ModelService,
        run: RunRow | SelectedRow,
        definition: WorkflowDefinition,
        code: ProjectCode | None,
        *,
        has_files: bool,
    ) -> _BoundModels:
        wants_embedder = has_files or uses_embedder(definition)
        if code is not None:
            return await self._bind_project_models(models, run.workspace_id, code)
        names = {choice.name for choice in definition.model_choices()}
        if run.inline_provider:
            inline = self._build_inline_bindings(models, run.id, names, definition.embedder)
            return inline.with_builtin_embedder() if wants_embedder else inline
        default: str | None = None
        if needs_default(definition):
            default = await models.get_default_name(run.workspace_id, ModelKind.LLM)
            if default is None:
                raise NoModel(
                    "No default model is registered and an agent names none. "
                    "Register a model with `default: true`, or name one in the workflow."
                )
        embedder = definition.embedder if wants_embedder else None
        if embedder is None and wants_embedder:
            embedder = await models.get_default_name(run.workspace_id, ModelKind.EMBEDDER)
        # Only what the run calls: another model that cannot be called is no reason to fail.
        required = names | {name for name in (default, embedder) if name is not None}
        bindings = await models.get_bindings(run.workspace_id, sorted(required))
        bound = _BoundModels(bindings, default or min(names), embedder)
        return bound.with_builtin_embedder() if wants_embedder else bound

    async def _bind_project_models(
        self, models: ModelService, workspace_id: str, code: ProjectCode
    ) -> _BoundModels:
        """Bind the mapped models, those that the code names as they are registered, and the defaults."""
        default = await models.get_default_name(workspace_id, ModelKind.LLM)
        embedder = await models.get_default_name(workspace_id, ModelKind.EMBEDDER)
        registered = await models.list_names(workspace_id)
        known = {*registered.llms, *registered.embedders}
        wanted = {*code.model_map.values(), *code.inspection.models, default, embedder}
        names = sorted(name for name in wanted if name is not None and name in known)
        return _BoundModels(await models.get_bindings(workspace_id, names), default or "", embedder)

    def _build_inline_bindings(
        self, models: ModelService, run_id: str, names: set[str], embedder: str | None
    ) -> _BoundModels:
        config = self._deps.inline_providers.get(run_id)
        if config is None:
            raise ProviderConfigNeeded(
                "The provider configuration of this run was kept in memory only and is no longer available. "
                "Send `providerConfig` again with resume or retry."
            )
        model_names = sorted(names) or list(config.models or ())[:1]
        if not model_names:
            raise NoModel("Name a model in the workflow (`llm:`) or in `providerConfig.models`.")
        bindings = models.build_inline_bindings(config, model_names, [embedder] if embedder else [])
        return _BoundModels(bindings, model_names[0], embedder)


async def _has_knowledge_files(knowledge: KnowledgeService, run: RunRow | SelectedRow) -> bool:
    """Whether the workflow of a run has files; the usual begin has read it with the run."""
    if run.workflow_id is None:
        return False
    if isinstance(run, RunRow):
        return await knowledge.has_files(run.workflow_id)
    return bool(run.has_knowledge_files)


def settings_budget(settings: Settings) -> Budget:
    """The limits that the settings set for every run."""
    return Budget(
        max_cost=None if settings.max_cost is None else Decimal(str(settings.max_cost)),
        max_tokens=settings.max_tokens,
        max_llm_calls=settings.max_llm_calls,
    )


def needs_default(definition: WorkflowDefinition) -> bool:
    """Whether an agent or the manager uses the workspace's default model."""
    manager = definition.process == "hierarchical" and not (
        definition.manager_model or definition.manager_agent
    )
    return manager or any(agent.model is None for agent in definition.agents)


def uses_embedder(definition: WorkflowDefinition) -> bool:
    """Whether the workflow needs an embedder, for memory or knowledge."""
    return definition.memory or uses_knowledge(definition)


def uses_knowledge(definition: WorkflowDefinition) -> bool:
    return bool(definition.knowledge) or any(agent.knowledge for agent in definition.agents)


def _to_revision(stored: dict[str, Any] | None) -> Revision | None:
    if stored is None:
        return None
    return Revision(stored["taskKey"], stored["previous"], stored["feedback"])
