"""API schemas of document validation and conversion."""

from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.problems import Problem


class YamlValidation(ApiModel):
    yaml_content: str = Field(description="The text of a workflow document, up to 1 MiB.")


class ValidationReport(ApiModel):
    """The result of a validation."""

    valid: bool
    errors: list[str] = Field(description="The messages of the problems, each with its line.")
    problems: list[Problem] = Field(description="By position; empty if the document is valid.")
    warnings: list[Problem] = Field(description="By position; a document with warnings is valid.")
    workflow: WorkflowDefinition | None = Field(
        description="The definition in the text; null if it is not valid."
    )


class DocumentFormat(StrEnum):
    """Format of agents and tasks: `mapping` by name, or `list` with a `name` each."""

    MAPPING = "mapping"
    LIST = "list"


class YamlConversion(ApiModel):
    yaml_content: str = Field(description="The text of a valid workflow document, up to 1 MiB.")
    to: DocumentFormat


class ConvertedYaml(ApiModel):
    """The document in the other format, with the same definition."""

    yaml_content: str
