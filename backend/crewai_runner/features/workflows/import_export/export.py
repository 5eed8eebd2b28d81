"""Exports workflows as files."""

import asyncio
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask, TextMask
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.workflow_yaml.crewai_export import FALLBACK_MODEL, to_crewai_project
from crewai_runner.domain.workflow_yaml.export_snapshot import add_snapshot
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.workflows.crud.records import StoredVersion, WorkflowRecords
from crewai_runner.features.workflows.import_export.archive import write_archive
from crewai_runner.features.workflows.import_export.downloads import (
    Download,
    build_content_disposition,
    build_file_stem,
)
from crewai_runner.features.workflows.schemas import ExportFormat


class WorkflowExport:
    """Stored secrets are redacted, because exported files may be shared."""

    def __init__(self, session: AsyncSession, mask: SecretMask, models: ModelService) -> None:
        self._records = WorkflowRecords(session)
        self._mask = mask
        self._models = models

    async def export(
        self, principal: Principal, workflow_id: str, number: int | None, export_format: ExportFormat
    ) -> Download:
        """Export a version; `number` None is the newest. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        version = await self._records.get_version(row, number)
        mask = self._mask.scoped(principal.workspace_id)
        name = mask.in_document(version.definition.name)
        if export_format is ExportFormat.YAML:
            content = mask.in_document(version.row.yaml).encode()
            return Download(content, "application/yaml", build_content_disposition(name, ".yaml"))
        registered = await self._models.list_provider_models(principal.workspace_id)
        models = {name: _to_crewai_model(*model) for name, model in registered.items()}
        content = await asyncio.to_thread(_build_project, version, models, mask)
        return Download(content, "application/zip", build_content_disposition(name, ".zip"))


def _build_project(version: StoredVersion, models: Mapping[str, str], mask: TextMask) -> bytes:
    files = to_crewai_project(version.definition, models, models.get("", FALLBACK_MODEL))
    redacted = {path: mask.in_document(text) for path, text in files.items()}
    complete = add_snapshot(redacted, mask.in_document(version.row.yaml))
    return write_archive(complete, build_file_stem(version.definition.name))


def _to_crewai_model(provider: ProviderType, model: str) -> str:
    """Return CrewAI's name for a model, `provider/model`."""
    if provider is ProviderType.LOCAL:
        return FALLBACK_MODEL  # the built-in model exists only on this server
    if provider is ProviderType.OPENAI_COMPATIBLE:
        return f"{ProviderType.OPENAI.value}/{model}"
    return f"{provider.value}/{model}"
