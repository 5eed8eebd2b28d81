"""API shapes of checking and converting documents."""

from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.problems import Problem


class YamlValidation(ApiModel):
    yaml_content: str = Field(description="The text of a workflow document, up to 1 MiB.")


class ValidationReport(ApiModel):
    """Everything there is to say about a document."""

    valid: bool
    errors: list[str] = Field(description="The problems as sentences, each with its line.")
    problems: list[Problem] = Field(description="By position; empty when valid.")
    warnings: list[Problem] = Field(description="By position; these hinder nothing.")
    workflow: WorkflowDefinition | None = Field(description="What the text means; null when not valid.")


class Spelling(StrEnum):
    """How agents and tasks are written: `mapping` by name, or `list` with a `name` each."""

    MAPPING = "mapping"
    LIST = "list"


class YamlConversion(ApiModel):
    yaml_content: str = Field(description="The text of a valid workflow document, up to 1 MiB.")
    to: Spelling


class ConvertedYaml(ApiModel):
    """The document in the other spelling; it means the same."""

    yaml_content: str
