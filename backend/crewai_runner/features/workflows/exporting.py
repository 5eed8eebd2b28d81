"""A workflow as a file to take away."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.crewai_export import FALLBACK_MODEL, to_crewai_project
from crewai_runner.features.workflows.archive import write_archive
from crewai_runner.features.workflows.records import WorkflowRecords
from crewai_runner.features.workflows.rules import attachment, file_stem


@dataclass(frozen=True, slots=True)
class Download:
    content: bytes
    media_type: str
    disposition: str


class WorkflowExport:
    """Whatever leaves here is masked: an export is made to be passed on."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._records = WorkflowRecords(session)
        self._mask = mask

    async def yaml(self, principal: Principal, workflow_id: str, number: int | None) -> Download:
        """The author's text. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        version = await self._records.version(row, number)
        content = self._masked(version.yaml).encode()
        return Download(content, "application/yaml", attachment(row.name, ".yaml"))

    async def crewai(
        self, principal: Principal, workflow_id: str, number: int | None, models: Mapping[str, str]
    ) -> Download:
        """A zip of a CrewAI project. Raises WorkflowNotFound, VersionNotFound."""
        row = await self._records.get(principal, workflow_id)
        version = await self._records.version(row, number)
        definition = WorkflowDefinition.model_validate(version.definition)
        content = await asyncio.to_thread(self._project, definition, models)
        return Download(content, "application/zip", attachment(definition.name, ".zip"))

    def _project(self, definition: WorkflowDefinition, models: Mapping[str, str]) -> bytes:
        files = to_crewai_project(definition, models, models.get("", FALLBACK_MODEL))
        masked = {path: self._masked(text) for path, text in files.items()}
        return write_archive(masked, file_stem(definition.name))

    def _masked(self, text: str) -> str:
        return self._mask(text) if self._mask.finds(text) else text
