"""Templates: example documents of the product, loaded once per process."""

import functools
import tomllib
from importlib import resources
from typing import Any

from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.features.templates.errors import TemplateNotFound
from crewai_runner.features.templates.schemas import TemplateList, TemplateRead

_PACKAGE = "crewai_runner.features.templates"


class TemplateService:
    def list(self) -> TemplateList:
        return TemplateList(templates=list(_load_templates().values()))

    def get(self, name: str) -> TemplateRead:
        """Return one template. Raises TemplateNotFound."""
        template = _load_templates().get(name)
        if template is None:
            raise TemplateNotFound(name)
        return template


@functools.cache
def _load_templates() -> dict[str, TemplateRead]:
    """Return the templates by name, in catalogue order. Raises ValueError for an invalid document."""
    package = resources.files(_PACKAGE)
    catalogue = tomllib.loads((package / "catalogue.toml").read_text("utf-8"))
    documents = package / "documents"
    return {
        name: _load_template(name, metadata, (documents / f"{name}.yaml").read_bytes().decode("utf-8"))
        for name, metadata in catalogue.items()
    }


def _load_template(name: str, metadata: dict[str, Any], text: str) -> TemplateRead:
    definition = _parse_definition(name, text)
    return TemplateRead(
        name=name,
        title=definition.name,
        description=definition.description,
        agents=len(definition.agents),
        tasks=len(definition.tasks),
        yaml=text,
        **metadata,
    )


def _parse_definition(name: str, text: str) -> WorkflowDefinition:
    parsed = parse(text)
    if parsed.definition is None:
        raise ValueError(f"The template {name} is not valid: {parsed.problems[0].message}")
    return parsed.definition
