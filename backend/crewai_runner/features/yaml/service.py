"""Validates and converts documents."""

import asyncio
import functools
import hashlib
import json

from crewai_runner.core.principal import Principal
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.json_schema import json_schema
from crewai_runner.domain.workflow_yaml.serialisation import dump, to_list, to_mapping
from crewai_runner.features.workflows.errors import format_problem
from crewai_runner.features.workflows.service import DocumentChecker
from crewai_runner.features.yaml.schemas import ConvertedYaml, DocumentFormat, ValidationReport


class YamlService:
    """Stores nothing; reads only the registered names from the database."""

    def __init__(self, documents: DocumentChecker) -> None:
        self._documents = documents

    async def validate(self, principal: Principal, text: str) -> ValidationReport:
        """Validate a document; problems are part of the report and never raised."""
        document = await self._documents.check(principal, text)
        return ValidationReport(
            valid=document.definition is not None,
            errors=[format_problem(problem) for problem in document.problems],
            problems=document.problems,
            warnings=document.warnings,
            workflow=document.definition,
        )

    async def convert(self, principal: Principal, text: str, to: DocumentFormat) -> ConvertedYaml:
        """Convert a document. Raises DocumentInvalid."""
        document = await self._documents.check(principal, text)
        definition = document.require_definition("/yamlContent")
        return ConvertedYaml(yaml_content=await asyncio.to_thread(_serialise, definition, to))


def _serialise(definition: WorkflowDefinition, to: DocumentFormat) -> str:
    return dump(to_mapping(definition) if to is DocumentFormat.MAPPING else to_list(definition))


@functools.cache
def get_schema() -> tuple[str, str]:
    """Return the JSON Schema as text, and its digest."""
    text = json.dumps(json_schema(), ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()[:32]
