"""Builds the executor's input for one attempt: definition, inputs, finished tasks, models with keys."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from crewai_runner.core.settings import Settings
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.budget import Budget, merge_budgets
from crewai_runner.domain.provider import ModelKind
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.port import ModelBinding, Revision, RunSpec
from crewai_runner.executor.project_code import ProjectCode
from crewai_runner.features.executions.attempt_writes import BegunAttempt
from crewai_runner.features.executions.errors import NoModel, ProviderConfigNeeded
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.project_runs import ProjectRuns
from crewai_runner.features.executions.rules import speaking_model
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.runs.schemas import SelectedRow, to_usage
from crewai_runner.features.runs.service import RunService


@dataclass(frozen=True, slots=True)
class SpecifiedAttempt:
    """An attempt that is ready to execute. Its writes carry the fencing token."""

    spec: RunSpec
    fencing_token: int
    workspace_id: str


@dataclass(frozen=True, slots=True)
class _BoundModels:
    bindings: dict[str, ModelBinding]
    default: str
    embedder: str | None

    def add_defaults(self, model_map: Mapping[str, str]) -> dict[str, str]:
        """Return a project's map of models in which the defaults answer for all others."""
        defaults = {"*": self.default, "*embedder": self.embedder}
        return {key: name for key, name in defaults.items() if name} | dict(model_map)


class RunSpecBuilder:
    def __init__(self, deps: ExecutionDeps) -> None:
        self._deps = deps
        self._project_runs = ProjectRuns(deps)

    async def build(
        self, run_id: str, fencing_token: int, begun: BegunAttempt | None = None
    ) -> SpecifiedAttempt:
        """The attempt's spec; `begun` saves reading the run. Raises an AppError when a model is missing."""
        async with read_session(self._deps.sessions) as session:
            run: RunRow | SelectedRow
            if begun is not None:
                run, finished = begun.run, begun.finished_tasks
            else:
                runs = RunService(session)
                run, finished = await runs.get_for_worker(run_id), await runs.get_task_results(run_id)
            definition = WorkflowDefinition.model_validate(run.definition)
            code = await self._project_runs.load(session, run, fencing_token)
            models = await self._bind_models(self._deps.models(session), run, definition, code)
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
            finished_tasks=finished,
            project=None if code is None else replace(code, model_map=models.add_defaults(code.model_map)),
            revision=_to_revision(run.revision),
            budget=self._budget(run, definition),
            prior_usage=to_usage(run),
            budget_seconds_used=run.active_seconds,
            timeout_seconds_used=run.active_seconds - run.seconds_before,
            memory_scope=None if run.workflow_id is None else f"{run.workspace_id}/{run.workflow_id}",
            timeout_seconds=definition.timeout_seconds or self._deps.settings.run_timeout_seconds,
        )
        return SpecifiedAttempt(spec, fencing_token, run.workspace_id)

    async def answering_model(self, run_id: str, agent: str | None = None) -> ModelBinding:
        """The model that answers for a run: that of the agent asked, else the first the workflow names.

        The workspace's default answers where the workflow names none, and for an agent without a model.
        Raises NoModel, ModelNotRegistered, ProviderConfigNeeded.
        """
        spec = (await self.build(run_id, fencing_token=0)).spec
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
    ) -> _BoundModels:
        if code is not None:
            return await self._bind_project_models(models, run.workspace_id, code)
        names = {choice.name for choice in definition.model_choices()}
        if run.inline_provider:
            return self._build_inline_bindings(models, run.id, names, definition.embedder)
        default: str | None = None
        if needs_default(definition):
            default = await models.get_default_name(run.workspace_id, ModelKind.LLM)
            if default is None:
                raise NoModel(
                    "No default model is registered and an agent names none. "
                    "Register a model with `default: true`, or name one in the workflow."
                )
        embedder = definition.embedder if uses_embedder(definition) else None
        if embedder is None and uses_embedder(definition):
            embedder = await models.get_default_name(run.workspace_id, ModelKind.EMBEDDER)
        # Only what the run calls: another model that cannot be called is no reason to fail.
        required = names | {name for name in (default, embedder) if name is not None}
        bindings = await models.get_bindings(run.workspace_id, sorted(required))
        return _BoundModels(bindings, default or min(names), embedder)

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
