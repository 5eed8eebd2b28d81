"""Runs all checks of a start request without starting a run, and reports everything they find."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.errors import StorageFull, TooManyRequests, Unprocessable
from crewai_runner.core.principal import Principal
from crewai_runner.domain.budget import Budget, merge_budgets
from crewai_runner.domain.provider import ModelKind
from crewai_runner.domain.workflow import ProcessKind, WorkflowDefinition
from crewai_runner.features.executions.author_rights import check_author
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.schemas import PreflightModel, PreflightProblem, RunPreflight, RunStart
from crewai_runner.features.executions.spec_builder import settings_budget, uses_embedder
from crewai_runner.features.executions.start_checks import ResolvedDefinition, StartChecks
from crewai_runner.features.models.errors import ModelNotRegistered, ModelUnusable
from crewai_runner.features.models.schemas import ModelProvider
from crewai_runner.features.projects.errors import ProjectNotReady

MANAGER = "manager"


@dataclass(slots=True)
class _Findings:
    problems: list[PreflightProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    by_model: dict[tuple[str, ModelKind], PreflightProblem] = field(default_factory=dict)
    """The problem of each model that is not registered or cannot be called."""
    missing: set[tuple[str, ModelKind]] = field(default_factory=set)
    """The models that are not registered."""

    @contextlib.contextmanager
    def collect(self, kind: ModelKind = ModelKind.LLM) -> Iterator[None]:
        """Add an error to the findings instead of raising it; `kind` is the kind of the checked models."""
        try:
            yield
        except ModelNotRegistered as error:
            for name, suggestions in error.names.items():
                self._add_model_problem(
                    name, kind, error.slug, ModelNotRegistered({name: suggestions}).detail
                )
                self.missing.add((name, kind))
        except ModelUnusable as error:
            for name, problem in error.by_model.items():
                self._add_model_problem(name, kind, problem.code, ModelUnusable({name: problem}).detail)
        except Unprocessable as error:
            self.problems += _to_problems(error)
        except (TooManyRequests, StorageFull, ProjectNotReady) as error:
            self.problems.append(PreflightProblem(code=error.slug, message=error.detail, where=None))

    def _add_model_problem(self, name: str, kind: ModelKind, code: str, message: str) -> None:
        problem = PreflightProblem(code=code, message=message, where=None)
        self.by_model[name, kind] = problem
        self.problems.append(problem)


class PreflightService:
    """Only reads from the database: no provider is contacted, and no host name is resolved."""

    def __init__(self, session: AsyncSession, deps: ExecutionDeps) -> None:
        self._session, self._deps = session, deps
        self._checks, self._models = StartChecks(session, deps), deps.models(session)

    async def check(self, principal: Principal, request: RunStart) -> RunPreflight:
        """Report what a start would find.

        Raises ScopeMissing (403), WorkflowNotFound, VersionNotFound, ProjectNotFound,
        ProjectVersionNotFound (404).
        """
        check_author(principal, request)
        findings, resolved = _Findings(), None
        with findings.collect():  # before the session's first statement: it reads in a session of its own
            await self._deps.workspace_quota.check_storage(principal)
        if request.provider_config is not None:
            with findings.collect():
                self._checks.check_provider_reachable(request.provider_config)
            with findings.collect():
                await self._models.validate_inline_provider_offline(request.provider_config)
        await self._check_quota(principal, findings)
        with findings.collect():
            resolved = await self._checks.resolve_definition(principal, request)
        models = [] if resolved is None else await self._check(principal, request, resolved, findings)
        workflow_budget = None if resolved is None else resolved.definition.budget
        budget = merge_budgets([request.budget, workflow_budget, settings_budget(self._deps.settings)])
        calls = None if resolved is None else len(resolved.definition.tasks)
        return RunPreflight(
            ready=not findings.problems,
            models=models,
            problems=findings.problems,
            warnings=[*findings.warnings, *_budget_warnings(budget, calls)],
            budget=budget,
            estimated_calls=calls,
        )

    async def _check_quota(self, principal: Principal, findings: _Findings) -> None:
        quota, connection = self._deps.workspace_quota, await self._session.connection()
        with findings.collect():
            await connection.run_sync(lambda connection: quota.check_runs(connection, principal.workspace_id))

    async def _check(
        self, principal: Principal, request: RunStart, resolved: ResolvedDefinition, findings: _Findings
    ) -> list[PreflightModel]:
        definition, provider = resolved.definition, request.provider_config
        findings.warnings += resolved.warnings
        with findings.collect():
            self._checks.fill_inputs(definition, request.inputs)
        with findings.collect():
            await self._checks.check_tools(principal, definition)
        with findings.collect(ModelKind.LLM):
            findings.warnings += await self._checks.check_llms(principal, definition, provider)
        with findings.collect(ModelKind.EMBEDDER):
            findings.warnings += await self._checks.check_embedder(principal, definition, provider)
        return await self._list_models(principal.workspace_id, request, definition, findings)

    async def _list_models(
        self, workspace: str, request: RunStart, definition: WorkflowDefinition, findings: _Findings
    ) -> list[PreflightModel]:
        """The models of the run, each with its provider and the agents that use it."""
        default, embedder = await self._defaults(workspace, request, definition)
        users = _users_by_model(definition, default)
        models = [(name, ModelKind.LLM) for name in sorted(users)]
        models += [(embedder, ModelKind.EMBEDDER)] if embedder is not None else []
        providers = await self._providers_by_model(workspace, request, {name for name, _ in models})
        return [
            PreflightModel(
                name=name,
                type=kind,
                provider=None if (name, kind) in findings.missing else providers.get(name),
                used_by=users[name] if kind is ModelKind.LLM else [],
                problem=findings.by_model.get((name, kind)),
            )
            for name, kind in models
        ]

    async def _defaults(
        self, workspace: str, request: RunStart, definition: WorkflowDefinition
    ) -> tuple[str | None, str | None]:
        """(model, embedder) for agents and memory that name none; None where none is registered or needed."""
        if request.provider_config is not None:
            names = sorted({choice.name for choice in definition.model_choices()})
            return next(iter([*names, *request.provider_config.models]), None), definition.embedder
        embedder = definition.embedder
        if embedder is None and uses_embedder(definition):
            embedder = await self._models.get_default_name(workspace, ModelKind.EMBEDDER)
        return await self._models.get_default_name(workspace, ModelKind.LLM), embedder

    async def _providers_by_model(
        self, workspace: str, request: RunStart, names: set[str]
    ) -> dict[str, ModelProvider]:
        given = request.provider_config
        if given is not None:
            return dict.fromkeys(names, ModelProvider(id=None, name=given.name, type=given.type))
        return dict(await self._models.get_providers(workspace, names))


def _to_problems(error: Unprocessable) -> list[PreflightProblem]:
    """The problems of an error, each with a pointer into the request."""
    prefix = "/providerConfig" if error.slug.startswith("provider-") else ""
    errors: Any = error.extra.get("errors") or [{"pointer": None, "detail": error.detail}]
    # For a document, `problems` has one entry per entry of `errors`, and adds its code.
    problems: Any = error.extra.get("problems") or [{} for _ in errors]
    return [
        PreflightProblem(
            code=problem.get("code", error.slug),
            message=entry["detail"],
            where=None if entry["pointer"] is None else prefix + entry["pointer"],
            remedy=problem.get("remedy"),
        )
        for entry, problem in zip(errors, problems, strict=True)
    ]


def _users_by_model(definition: WorkflowDefinition, default: str | None) -> dict[str, list[str]]:
    """The keys of the agents that use each model, by the model's name."""
    uses = [(agent.model, agent.key) for agent in definition.agents]
    if definition.process is ProcessKind.HIERARCHICAL and definition.manager_agent is None:
        uses.append((definition.manager_model, MANAGER))
    users: dict[str, list[str]] = {}
    for model, user in uses:
        name = model.name if model is not None else default
        if name is not None:
            users.setdefault(name, []).append(user)
    return users


def _budget_warnings(budget: Budget, calls: int | None) -> list[str]:
    if calls is None or budget.max_llm_calls is None or budget.max_llm_calls >= calls:
        return []
    return [f"The budget allows {budget.max_llm_calls} model calls; the tasks need at least {calls}."]
