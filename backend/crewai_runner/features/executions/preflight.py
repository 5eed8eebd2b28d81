"""Tells what a start would meet, without starting anything: the checks of a start, all of them at once."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import Unprocessable
from crewai_runner.core.principal import Principal
from crewai_runner.domain.budget import Budget, merge_budgets
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.workflow import ProcessKind, WorkflowDefinition
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.schemas import PreflightModel, PreflightProblem, RunPreflight, RunStart
from crewai_runner.features.executions.spec_builder import settings_budget, uses_embedder
from crewai_runner.features.executions.start_checks import ResolvedDefinition, StartChecks
from crewai_runner.features.models.errors import ModelNotRegistered
from crewai_runner.features.models.schemas import ModelProvider

MANAGER = "manager"


@dataclass(slots=True)
class _Findings:
    problems: list[PreflightProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    missing: dict[tuple[str, ModelKind], PreflightProblem] = field(default_factory=dict)
    """Why a model of the run is not to be had."""

    @contextlib.contextmanager
    def noting(self, kind: ModelKind = ModelKind.LLM) -> Iterator[None]:
        """Note a refusal and go on; `kind` is that of the models that are checked."""
        try:
            yield
        except ModelNotRegistered as refusal:
            self._note_missing(refusal, kind)
        except Unprocessable as refusal:
            self.problems += _reasons(refusal)

    def _note_missing(self, refusal: ModelNotRegistered, kind: ModelKind) -> None:
        for name, suggestions in refusal.names.items():
            message = ModelNotRegistered({name: suggestions}).detail
            problem = PreflightProblem(code=refusal.slug, message=message, where=None)
            self.missing[name, kind] = problem
            self.problems.append(problem)


class PreflightService:
    """Reads only, and contacts nobody: not even a provider's address is looked up."""

    def __init__(self, session: AsyncSession, deps: ExecutionDeps) -> None:
        self._deps = deps
        self._checks, self._models = StartChecks(session, deps), deps.models(session)

    async def of(self, principal: Principal, request: RunStart) -> RunPreflight:
        """What a start would meet. Raises WorkflowNotFound, VersionNotFound (404)."""
        findings, found = _Findings(), None
        if request.provider_config is not None:
            with findings.noting():
                self._checks.check_provider(request.provider_config)
            with findings.noting():
                await self._models.validate_inline_provider_offline(request.provider_config)
        with findings.noting():
            found = await self._checks.definition(principal, request)
        models = [] if found is None else await self._check(principal, request, found, findings)
        budget = self._budget(request, found)
        calls = None if found is None else len(found.definition.tasks)
        return RunPreflight(
            ready=not findings.problems,
            models=models,
            problems=findings.problems,
            warnings=[*findings.warnings, *self._absent(models), *_too_tight(budget, calls)],
            budget=budget,
            estimated_calls=calls,
        )

    async def _check(
        self, principal: Principal, request: RunStart, found: ResolvedDefinition, findings: _Findings
    ) -> list[PreflightModel]:
        definition, provider = found.definition, request.provider_config
        findings.warnings += found.warnings
        with findings.noting():
            self._checks.inputs(definition, request.inputs)
        with findings.noting(ModelKind.LLM):
            findings.warnings += await self._checks.models(principal, definition, provider)
        with findings.noting(ModelKind.EMBEDDER):
            await self._checks.embedder(principal, definition, provider)
        return await self._used(principal.workspace_id, request, definition, findings)

    async def _used(
        self, workspace: str, request: RunStart, definition: WorkflowDefinition, findings: _Findings
    ) -> list[PreflightModel]:
        """The models of the run, with who serves them and who asks them."""
        default, embedder = await self._defaults(workspace, request, definition)
        users = _users(definition, default)
        wanted = [(name, ModelKind.LLM) for name in sorted(users)]
        wanted += [(embedder, ModelKind.EMBEDDER)] if embedder is not None else []
        owners = await self._owners(workspace, request, {name for name, _ in wanted})
        return [
            PreflightModel(
                name=name,
                type=kind,
                provider=None if (name, kind) in findings.missing else owners.get(name),
                used_by=users[name] if kind is ModelKind.LLM else [],
                problem=findings.missing.get((name, kind)),
            )
            for name, kind in wanted
        ]

    async def _defaults(
        self, workspace: str, request: RunStart, definition: WorkflowDefinition
    ) -> tuple[str | None, str | None]:
        """(model, embedder) where the workflow names none and needs one."""
        if request.provider_config is not None:
            names = sorted({choice.name for choice in definition.model_choices()})
            return next(iter([*names, *request.provider_config.models]), None), definition.embedder
        embedder = definition.embedder
        if embedder is None and uses_embedder(definition):
            embedder = await self._models.get_default_name(workspace, ModelKind.EMBEDDER)
        return await self._models.get_default_name(workspace, ModelKind.LLM), embedder

    async def _owners(self, workspace: str, request: RunStart, names: set[str]) -> dict[str, ModelProvider]:
        given = request.provider_config
        if given is not None:
            return dict.fromkeys(names, ModelProvider(id=None, name=given.name, type=given.type))
        return dict(await self._models.get_providers(workspace, names))

    def _budget(self, request: RunStart, found: ResolvedDefinition | None) -> Budget:
        workflows = None if found is None else found.definition.budget
        return merge_budgets([request.budget, workflows, settings_budget(self._deps.settings)])

    def _absent(self, models: Iterable[PreflightModel]) -> list[str]:
        """The built-in model may be registered without being there."""
        reason = self._deps.local_model.unavailable_reason()
        local = [m.name for m in models if m.provider and m.provider.type is ProviderType.LOCAL]
        return [f"Model `{name}` cannot answer now. {reason}" for name in local if reason]


def _reasons(refusal: Unprocessable) -> list[PreflightProblem]:
    """Each reason of a refusal, with its place in the request."""
    prefix = "/providerConfig" if refusal.slug.startswith("provider-") else ""
    errors: Any = refusal.extra.get("errors") or [{"pointer": None, "detail": refusal.detail}]
    # The problems of a document stand beside the errors, one for one, and know their codes.
    found: Any = refusal.extra.get("problems") or [{} for _ in errors]
    return [
        PreflightProblem(
            code=problem.get("code", refusal.slug),
            message=error["detail"],
            where=None if error["pointer"] is None else prefix + error["pointer"],
        )
        for error, problem in zip(errors, found, strict=True)
    ]


def _users(definition: WorkflowDefinition, default: str | None) -> dict[str, list[str]]:
    """Who asks each model, by its name."""
    asked = [(agent.model, agent.key) for agent in definition.agents]
    if definition.process is ProcessKind.HIERARCHICAL and definition.manager_agent is None:
        asked.append((definition.manager_model, MANAGER))
    users: dict[str, list[str]] = {}
    for model, user in asked:
        name = model.name if model is not None else default
        if name is not None:
            users.setdefault(name, []).append(user)
    return users


def _too_tight(budget: Budget, calls: int | None) -> list[str]:
    if calls is None or budget.max_llm_calls is None or budget.max_llm_calls >= calls:
        return []
    return [f"The budget allows {budget.max_llm_calls} model calls; the tasks need {calls} at the least."]
