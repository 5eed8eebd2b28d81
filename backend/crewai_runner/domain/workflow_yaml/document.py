"""Parser of workflow documents: one definition, or all problems at once."""

from collections.abc import Mapping

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.agent_roles import resolve_roles
from crewai_runner.domain.workflow_yaml.cross_references import DocumentParts, Registry, check_references
from crewai_runner.domain.workflow_yaml.document_keys import (
    AGENT_SECTION,
    CREW_SECTION,
    MAX_AGENTS,
    MAX_TASKS,
    TASK_SECTION,
)
from crewai_runner.domain.workflow_yaml.input_definitions import read_inputs
from crewai_runner.domain.workflow_yaml.members import DocumentMember, read_members
from crewai_runner.domain.workflow_yaml.messages import report_wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Node, NotADocument, Table, from_plain
from crewai_runner.domain.workflow_yaml.problems import Location, Problem, Problems
from crewai_runner.domain.workflow_yaml.reader import read
from crewai_runner.domain.workflow_yaml.sections import Section, SectionValues, read_section

UNTITLED = "Untitled workflow"


class ParsedWorkflow(ApiModel):
    """The result of parsing. `definition` is set exactly when the document is `valid`."""

    valid: bool
    problems: list[Problem] = Field(description="By position; empty when valid.")
    warnings: list[Problem] = Field(description="By position; a document with warnings is valid.")
    definition: WorkflowDefinition | None = None


def parse(text: str, registry: Registry | None = None) -> ParsedWorkflow:
    """Parse a document in either format. Never raises, and has no side effects, whatever the text."""
    problems = Problems(text)
    return _parse_tree(read(text, problems), registry, problems)


def parse_value(value: object, registry: Registry | None = None) -> ParsedWorkflow:
    """Parse a document given as decoded JSON. Its problems have a path but no line. Never raises."""
    problems = Problems()
    root: Node | None = None
    try:
        root = from_plain(value)
    except NotADocument as error:
        problems.error(Location(-1, ""), "not-a-document", str(error))
    return _parse_tree(root, registry, problems)


def _parse_tree(root: Node | None, registry: Registry | None, problems: Problems) -> ParsedWorkflow:
    parts = _read_parts(root, problems) if root is not None else None
    if parts is not None:
        check_references(parts, registry or Registry(), problems)
    errors = problems.errors()
    return ParsedWorkflow(
        valid=not errors,
        problems=errors,
        warnings=problems.warnings(),
        definition=_build_definition(parts) if parts is not None and not errors else None,
    )


def _read_parts(root: Node, problems: Problems) -> DocumentParts | None:
    location = Location(root.index, "")
    if not isinstance(root, Table):
        report_wrong_type(root, location.to("document"), problems, "a mapping that begins with `name:`")
        return None
    resolve_roles(root)
    crew = read_section(root, CREW_SECTION, location, problems)
    if "name" not in crew.locations:
        message = "The workflow has no name. Begin with `name: ...`."
        problems.warn(location.to("name"), "missing-name", message)
    declared = crew.nodes["inputs"] if "inputs" in crew.values else None
    agents, has_all_agents = _read_members("agents", AGENT_SECTION, MAX_AGENTS, crew, problems)
    tasks, has_all_tasks = _read_members("tasks", TASK_SECTION, MAX_TASKS, crew, problems)
    return DocumentParts(
        crew=crew,
        agents=agents,
        tasks=tasks,
        has_all_agents=has_all_agents,
        has_all_tasks=has_all_tasks,
        inputs=read_inputs(declared, crew.locations["inputs"], problems) if declared is not None else {},
        declares_inputs="inputs" in crew.locations,
    )


def _read_members(
    name: str, section: Section, limit: int, crew: SectionValues, problems: Problems
) -> tuple[list[DocumentMember], bool]:
    if name not in crew.values:
        return [], False
    return read_members(crew.nodes[name], section, crew.locations[name], limit, problems)


def _build_definition(parts: DocumentParts) -> WorkflowDefinition:
    inputs = [*(declared.definition for declared in parts.inputs.values()), *parts.implied_inputs]
    return WorkflowDefinition.model_validate(
        {
            "name": UNTITLED,
            **parts.crew.values,
            "agents": [_agent_fields(member.key, member.section.values) for member in parts.agents],
            "tasks": [_task_fields(member.key, member.section.values) for member in parts.tasks],
            "inputs": inputs,
            "budget": parts.crew.values.get("budget") or None,
        }
    )


def _agent_fields(key: str, values: Mapping[str, object]) -> dict[str, object]:
    """Return the agent's fields; `planning_config` turns planning on."""
    planning = values.get("planning_config")
    fields = {name: value for name, value in values.items() if name != "planning_config"}
    return {"key": key, **({"planning": True, **planning} if isinstance(planning, dict) else {}), **fields}


def _task_fields(key: str, values: Mapping[str, object]) -> dict[str, object]:
    """Return the task's fields; `guardrail` becomes the first of `guardrails`."""
    fields = {name: value for name, value in values.items() if name != "guardrail"}
    several = values.get("guardrails")
    first = [values["guardrail"]] if values.get("guardrail") else []
    return {"key": key, **fields, "guardrails": [*first, *(several if isinstance(several, list) else [])]}
