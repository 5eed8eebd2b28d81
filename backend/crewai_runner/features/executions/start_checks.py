"""The checks of a request to start a run: definition, inputs, models."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.core.setting_choices import Role
from crewai_runner.domain.local_model import list_local_model_warnings
from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.domain.provider_settings import has_special_settings, list_ignored_settings
from crewai_runner.domain.schema_expansion import find_schema_excess
from crewai_runner.domain.tool_names import is_external_tool
from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import ParsedWorkflow, parse, parse_value
from crewai_runner.domain.workflow_yaml.run_inputs import input_problems
from crewai_runner.executor.builtin_embedder import embedding_model
from crewai_runner.features.executions.errors import (
    DefinitionInvalid,
    NoEmbedder,
    NoModel,
    ProviderConfigNeeded,
    ProviderConfigNotHere,
)
from crewai_runner.features.executions.execution_deps import ExecutionDeps
from crewai_runner.features.executions.rules import warn_of_unmapped_models
from crewai_runner.features.executions.schemas import RunStart
from crewai_runner.features.executions.spec_builder import needs_default, uses_embedder, uses_knowledge
from crewai_runner.features.projects.service import ProjectService
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.runs.errors import InputsInvalid
from crewai_runner.features.workflows.service import WorkflowService


@dataclass(frozen=True, slots=True)
class ResolvedDefinition:
    """The definition that a request asks to run, and the saved workflow it comes from, if any."""

    definition: WorkflowDefinition
    warnings: list[str]
    workflow_id: str | None = None
    version: int | None = None
    project_id: str | None = None


class StartChecks:
    """Each method raises the error that the start endpoint answers."""

    def __init__(self, session: AsyncSession, deps: ExecutionDeps) -> None:
        self._session, self._deps = session, deps
        self._models = deps.models(session)

    async def resolve_definition(self, principal: Principal, request: RunStart) -> ResolvedDefinition:
        """Parse the inline definition, or load the saved one.

        Raises DefinitionInvalid with every problem, WorkflowNotFound, VersionNotFound.
        """
        if sum(one is not None for one in (request.workflow, request.workflow_id, request.project_id)) != 1:
            raise DefinitionInvalid(
                "Send one of `workflow` (a definition), `workflowId` (a saved one) and `projectId`."
            )
        if request.project_id is not None:
            return await self._resolve_project(principal, request.project_id, request)
        if request.workflow_id is not None:
            service = WorkflowService(self._session, self._deps.mask)
            definition, version = await service.definition_of(principal, request.workflow_id, request.version)
            check_tool_names(definition)
            self.check_schemas(definition)
            return ResolvedDefinition(definition, [], request.workflow_id, version)
        parsed = await self._parse(request.workflow)
        if parsed.definition is None or not parsed.valid:
            raise _invalid(parsed)
        # `check_embedder` knows whether there is an embedder.
        warnings = [warning.message for warning in parsed.warnings if warning.code != "embedder-missing"]
        return ResolvedDefinition(parsed.definition, warnings)

    async def _resolve_project(
        self, principal: Principal, project_id: str, request: RunStart
    ) -> ResolvedDefinition:
        """Return the definition of a project's run, which names its inputs only."""
        if request.provider_config is not None:
            raise DefinitionInvalid("`providerConfig` cannot be combined with `projectId`.")
        service = ProjectService(self._session, self._deps.projects)
        project = await service.resolve_run(principal, project_id, request.version)
        workspace = principal.workspace_id
        known = (await self._models.list_names(workspace)).llms
        await self._models.check_usable(
            workspace, [name for key, name in project.model_map.items() if not key.startswith("*")]
        )
        default = await self._models.get_default_name(workspace, ModelKind.LLM)
        return ResolvedDefinition(
            project.definition,
            warn_of_unmapped_models(project.named_models, project.model_map, known, default),
            version=project.version,
            project_id=project.project_id,
        )

    @staticmethod
    def check_schemas(definition: WorkflowDefinition) -> None:
        """Check the output schemas of a stored definition: older versions accepted larger ones.

        Raises DefinitionInvalid.
        """
        for task in definition.tasks:
            if task.output_json and (excess := find_schema_excess(task.output_json)) is not None:
                error = {"pointer": f"/workflow/tasks/{task.key}/output_json", "detail": excess}
                raise DefinitionInvalid(f"The `output_json` of task `{task.key}`: {excess}", errors=[error])

    async def _parse(self, document: str | dict[str, JsonValue] | None) -> ParsedWorkflow:
        registry = Registry(tools=frozenset(TOOLS))
        if isinstance(document, str):
            return await asyncio.to_thread(parse, document, registry)
        return await asyncio.to_thread(parse_value, document, registry)

    @staticmethod
    def fill_inputs(
        definition: WorkflowDefinition, given: Mapping[str, JsonValue], project_id: str | None = None
    ) -> dict[str, Any]:
        """The given inputs with defaults added. Raises InputsInvalid with every problem.

        An input of a project without a value and a known default is left out: the code computes it.
        """
        values, problems = input_problems(definition, dict(given))
        if problems:
            errors = [{"pointer": f"/inputs{p.pointer}", "detail": p.detail} for p in problems]
            raise InputsInvalid("; ".join(p.detail for p in problems)[:2000], errors=errors)
        empty = {one.name for one in definition.inputs if one.default is None and given.get(one.name) is None}
        return {name: value for name, value in values.items() if project_id is None or name not in empty}

    async def check_resources(
        self, principal: Principal, definition: WorkflowDefinition, provider: ProviderCreate | None
    ) -> list[str]:
        """Check that the tools can be used, and the models and the embedder are registered; return warnings.

        Raises ToolsUnusable, NoModel, ModelNotRegistered.
        """
        await self.check_tools(principal, definition)
        warnings = await self.check_llms(principal, definition, provider)
        return warnings + await self.check_embedder(principal, definition, provider)

    async def check_llms(
        self, principal: Principal, definition: WorkflowDefinition, provider: ProviderCreate | None
    ) -> list[str]:
        """Check that every model is registered; return warnings about settings and the built-in model."""
        names = sorted({choice.name for choice in definition.model_choices()})
        if provider is not None:
            if not names and not provider.models:
                raise NoModel("Name a model in the workflow (`llm:`) or in `providerConfig.models`.")
            self._models.check_inline_usable(provider, names or provider.models[:1])
            return list_ignored_settings(definition, dict.fromkeys(names, provider.type))
        workspace = principal.workspace_id
        default = await self._models.get_default_name(workspace, ModelKind.LLM)
        if default is None and needs_default(definition):
            raise NoModel(
                "No default model is registered and the workflow names none. Register one at "
                "POST /api/models with `default: true`, or name one with `llm:`."
            )
        used = names if default is None or not needs_default(definition) else [*names, default]
        await self._models.check_usable(workspace, used)
        local_names = await self._models.list_local_names(workspace)
        local = await asyncio.to_thread(list_local_model_warnings, definition, local_names, default)
        ignored = await self._list_ignored_settings(workspace, definition)
        return [*local, *ignored, *await self._models.list_ignored_settings(workspace, used)]

    async def _list_ignored_settings(self, workspace: str, definition: WorkflowDefinition) -> list[str]:
        """Return a warning for each setting of the workflow's models that their providers do not take."""
        names = {choice.name for choice in definition.model_choices() if has_special_settings(choice)}
        if not names:
            return []
        providers = await self._models.get_providers(workspace, names)
        return list_ignored_settings(
            definition, {name: ProviderType(found.type) for name, found in providers.items()}
        )

    async def check_embedder(
        self, principal: Principal, definition: WorkflowDefinition, provider: ProviderCreate | None
    ) -> list[str]:
        """Check that memory and knowledge have an embedder that can be called; return warnings.

        Where none is registered the built-in one is used, which is a warning, and so is a run without memory
        because that is not installed. Raises NoEmbedder for knowledge, which agents could not read.
        """
        embedder = definition.embedder
        if provider is None and embedder is None and uses_embedder(definition):
            embedder = await self._models.get_default_name(principal.workspace_id, ModelKind.EMBEDDER)
        names = [] if embedder is None else [embedder]
        if provider is not None:
            self._models.check_inline_usable(provider, names, ModelKind.EMBEDDER)
        else:
            await self._models.check_usable(principal.workspace_id, names, ModelKind.EMBEDDER)
        if embedder is not None or not uses_embedder(definition):
            return []
        feature = "memory" if definition.memory else "knowledge"
        if embedding_model.is_available():
            return [f"The run uses {embedding_model.TITLE} for its {feature}: no embedder is registered."]
        remedy = (
            "Name a model with `embedder:`."
            if provider is not None
            else "Register a model of type `embedder` at POST /api/models."
        )
        if uses_knowledge(definition):
            raise NoEmbedder(f"Knowledge needs an embedder, and none is registered. {remedy}")
        return [f"The run has no memory: it needs an embedder, and none is registered. {remedy}"]

    async def check_tools(self, principal: Principal, definition: WorkflowDefinition) -> None:
        """Check that the tools can be used: they exist and their connections do. Raises ToolsUnusable."""
        await self._deps.tools.bind(self._session, principal.workspace_id, definition)

    def check_provider_reachable(self, provider: ProviderCreate | None) -> None:
        """Check that a provider configuration can reach the process that runs the run.

        Raises ProviderConfigNotHere.
        """
        if provider is not None and self._deps.settings.role is Role.API:
            raise ProviderConfigNotHere

    def get_inline_provider(self, run_id: str) -> ProviderCreate:
        """The provider configuration that came with an earlier run. Raises ProviderConfigNeeded."""
        config = self._deps.inline_providers.get(run_id)
        if config is None:
            raise ProviderConfigNeeded(
                "The provider configuration of this run was kept in memory only and is no longer available. "
                "Send `providerConfig` again."
            )
        return config


def check_tool_names(definition: WorkflowDefinition) -> None:
    """Raise DefinitionInvalid if a stored definition names a built-in tool that no longer exists."""
    owners = [(f"agents.{agent.key}", agent.tools) for agent in definition.agents]
    owners += [(f"tasks.{task.key}", task.tools) for task in definition.tasks]
    unknown = [
        (path, name)
        for path, tools in owners
        for name in tools
        if not (name in TOOLS or is_external_tool(name))
    ]
    if unknown:
        errors = [
            {"pointer": f"/workflow/{path.replace('.', '/')}/tools", "detail": f"There is no tool `{name}`."}
            for path, name in unknown
        ]
        raise DefinitionInvalid(
            f"{errors[0]['detail']} Available tools: {', '.join(sorted(TOOLS))}.",
            errors=errors,
            problems=[{"code": "unknown-tool"} for _ in errors],
        )


def _invalid(parsed: ParsedWorkflow) -> DefinitionInvalid:
    problems = [p.model_dump(mode="json", by_alias=True) for p in parsed.problems]
    errors = [
        {"pointer": "/workflow/" + p.path.replace(".", "/"), "detail": p.message} for p in parsed.problems
    ]
    first = parsed.problems[0].message if parsed.problems else "The workflow is not valid."
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return DefinitionInvalid(first + more, errors=errors, problems=problems)
