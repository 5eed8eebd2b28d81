"""A workflow as a file to take away."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.crewai_export import FALLBACK_MODEL, to_crewai_project
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.workflows.archive import write_archive
from crewai_runner.features.workflows.records import WorkflowRecords
from crewai_runner.features.workflows.rules import attachment, file_stem
from crewai_runner.features.workflows.schemas import ExportFormat


@dataclass(frozen=True, slots=True)
class Download:
    content: bytes
    media_type: str
    disposition: str


class WorkflowExport:
    """Whatever leaves here is masked: an export is made to be passed on."""

    def __init__(self, session: AsyncSession, mask: SecretMask, models: ModelService) -> None:
        self._records = WorkflowRecords(session)
        self._mask = mask
        self._models = models

    async def file(
        self, principal: Principal, workflow_id: str, number: int | None, kind: ExportFormat
    ) -> Download:
        """A version, None is the newest, as a file. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        version = await self._records.version(row, number)
        definition = WorkflowDefinition.model_validate(version.definition)
        name = self._masked(definition.name)
        if kind is ExportFormat.YAML:
            content = self._masked(version.yaml).encode()
            return Download(content, "application/yaml", attachment(name, ".yaml"))
        endpoints = await self._models.list_endpoints(principal.workspace_id)
        models = {name: _in_crewai(*endpoint) for name, endpoint in endpoints.items()}
        content = await asyncio.to_thread(self._project, definition, models)
        return Download(content, "application/zip", attachment(name, ".zip"))

    def _project(self, definition: WorkflowDefinition, models: Mapping[str, str]) -> bytes:
        files = to_crewai_project(definition, models, models.get("", FALLBACK_MODEL))
        masked = {path: self._masked(text) for path, text in files.items()}
        return write_archive(masked, file_stem(definition.name))

    def _masked(self, text: str) -> str:
        return self._mask(text) if self._mask.contains_secret(text) else text


def _in_crewai(provider: ProviderType, endpoint: str) -> str:
    """CrewAI's own name of a model."""
    if provider is ProviderType.LOCAL:
        return FALLBACK_MODEL  # the built-in model is part of this server and stays with it
    if provider is ProviderType.OPENAI_COMPATIBLE:
        return f"{ProviderType.OPENAI.value}/{endpoint}"
    return f"{provider.value}/{endpoint}"
