"""Export of a workflow as a file."""

import asyncio
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.crewai_export import FALLBACK_MODEL, to_crewai_project
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.workflows.crud.records import WorkflowRecords
from crewai_runner.features.workflows.import_export.archive import write_archive
from crewai_runner.features.workflows.import_export.downloads import Download, attachment, file_stem
from crewai_runner.features.workflows.schemas import ExportFormat


class WorkflowExport:
    """Exports workflows; stored secrets are redacted, because exports are passed on."""

    def __init__(self, session: AsyncSession, mask: SecretMask, models: ModelService) -> None:
        self._records = WorkflowRecords(session)
        self._mask = mask
        self._models = models

    async def file(
        self, principal: Principal, workflow_id: str, number: int | None, export_format: ExportFormat
    ) -> Download:
        """A version as a file; None is the newest. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        version = await self._records.get_version(row, number)
        name = self._redact(version.definition.name)
        if export_format is ExportFormat.YAML:
            content = self._redact(version.row.yaml).encode()
            return Download(content, "application/yaml", attachment(name, ".yaml"))
        endpoints = await self._models.list_endpoints(principal.workspace_id)
        models = {name: _crewai_model(*endpoint) for name, endpoint in endpoints.items()}
        content = await asyncio.to_thread(self._project, version.definition, models)
        return Download(content, "application/zip", attachment(name, ".zip"))

    def _project(self, definition: WorkflowDefinition, models: Mapping[str, str]) -> bytes:
        files = to_crewai_project(definition, models, models.get("", FALLBACK_MODEL))
        redacted = {path: self._redact(text) for path, text in files.items()}
        return write_archive(redacted, file_stem(definition.name))

    def _redact(self, text: str) -> str:
        return self._mask(text) if self._mask.contains_secret(text) else text


def _crewai_model(provider: ProviderType, endpoint: str) -> str:
    """CrewAI's name of a model, `provider/model`."""
    if provider is ProviderType.LOCAL:
        return FALLBACK_MODEL  # the built-in model exists on this server only
    if provider is ProviderType.OPENAI_COMPATIBLE:
        return f"{ProviderType.OPENAI.value}/{endpoint}"
    return f"{provider.value}/{endpoint}"
