"""Checking and converting documents."""

import asyncio
import functools
import hashlib
import json

from crewai_runner.core.principal import Principal
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.json_schema import json_schema
from crewai_runner.domain.workflow_yaml.serialisation import dump, to_list, to_mapping
from crewai_runner.features.workflows.errors import sentence
from crewai_runner.features.workflows.service import DocumentChecker
from crewai_runner.features.yaml.schemas import ConvertedYaml, Spelling, ValidationReport


class YamlService:
    """Stores nothing; the database is asked for registered names only."""

    def __init__(self, documents: DocumentChecker) -> None:
        self._documents = documents

    async def validate(self, principal: Principal, text: str) -> ValidationReport:
        """A report on a document; never raises for what stands in it."""
        document = await self._documents.check(principal, text)
        return ValidationReport(
            valid=document.definition is not None,
            errors=[sentence(problem) for problem in document.problems],
            problems=document.problems,
            warnings=document.warnings,
            workflow=document.definition,
        )

    async def convert(self, principal: Principal, text: str, to: Spelling) -> ConvertedYaml:
        """The document in another spelling. Raises DocumentInvalid."""
        document = await self._documents.check(principal, text)
        definition = document.sound("/yamlContent")
        return ConvertedYaml(yaml_content=await asyncio.to_thread(_written, definition, to))


def _written(definition: WorkflowDefinition, to: Spelling) -> str:
    return dump(to_mapping(definition) if to is Spelling.MAPPING else to_list(definition))


@functools.cache
def schema_text() -> tuple[str, str]:
    """The JSON Schema as text, and a digest of it."""
    text = json.dumps(json_schema(), ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(text.encode()).hexdigest()[:32]
