"""The way in: a workflow document, read whole, with every problem at once."""

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.workflow import AgentDefinition, TaskDefinition, WorkflowDefinition
from crewai_runner.domain.workflow_yaml.checks import Parts, check
from crewai_runner.domain.workflow_yaml.drafts import Draft, Drafts, read_drafts
from crewai_runner.domain.workflow_yaml.fields import (
    AGENT_SECTION,
    CREW_SECTION,
    MAX_AGENTS,
    MAX_TASKS,
    TASK_SECTION,
)
from crewai_runner.domain.workflow_yaml.input_definitions import read_inputs
from crewai_runner.domain.workflow_yaml.mistakes import wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Node, NotADocument, Table, from_plain
from crewai_runner.domain.workflow_yaml.problems import Place, Problem, Problems
from crewai_runner.domain.workflow_yaml.reader import read
from crewai_runner.domain.workflow_yaml.registry import Registry
from crewai_runner.domain.workflow_yaml.sections import Found, Section, read_section

__all__ = ["UNTITLED", "ParsedWorkflow", "Registry", "parse", "parse_value"]

UNTITLED = "Untitled workflow"


class ParsedWorkflow(ApiModel):
    """What came of a document. `definition` is there exactly when it is `valid`."""

    valid: bool
    problems: list[Problem] = Field(description="By position; empty when valid.")
    warnings: list[Problem] = Field(description="By position; these hinder nothing.")
    definition: WorkflowDefinition | None = None


def parse(text: str, registry: Registry | None = None) -> ParsedWorkflow:
    """Read a document in either spelling. Never raises, whatever the text; never touches the outside."""
    problems = Problems(text)
    return _parsed(read(text, problems), registry, problems)


def parse_value(value: object, registry: Registry | None = None) -> ParsedWorkflow:
    """Read a document that came as JSON, not text: its problems have a path, no line. Never raises."""
    problems = Problems()
    try:
        root: Node | None = from_plain(value)
    except NotADocument as error:
        problems.error(Place(-1, ""), "not-a-document", str(error))
        root = None
    return _parsed(root, registry, problems)


def _parsed(root: Node | None, registry: Registry | None, problems: Problems) -> ParsedWorkflow:
    parts = _parts(root, problems) if root is not None else None
    if parts is not None:
        check(parts, registry or Registry(), problems)
    errors = problems.errors()
    return ParsedWorkflow(
        valid=not errors,
        problems=errors,
        warnings=problems.warnings(),
        definition=_definition(parts) if parts is not None and not errors else None,
    )


def _parts(root: Node, problems: Problems) -> Parts | None:
    place = Place(root.index, "")
    if not isinstance(root, Table):
        wrong_type(root, place.to("document"), problems, "a mapping that begins with `name:`")
        return None
    crew = read_section(root, CREW_SECTION, place, problems)
    if "name" not in crew.places:
        problems.warn(place.to("name"), "missing-name", "The workflow has no name. Begin with `name: ...`.")
    asked = crew.nodes["inputs"] if "inputs" in crew.values else None
    return Parts(
        crew=crew,
        agents=_members("agents", AGENT_SECTION, MAX_AGENTS, crew, problems),
        tasks=_members("tasks", TASK_SECTION, MAX_TASKS, crew, problems),
        inputs=read_inputs(asked, crew.places["inputs"], problems) if asked is not None else {},
        declares_inputs="inputs" in crew.places,
    )


def _members(name: str, section: Section, most: int, crew: Found, problems: Problems) -> Drafts:
    if name not in crew.values:
        nothing = Drafts()
        nothing.whole = False
        return nothing
    return read_drafts(crew.nodes[name], section, crew.places[name], most, problems)


def _definition(parts: Parts) -> WorkflowDefinition:
    values = dict(parts.crew.values)
    budget = values.pop("budget", None)
    return WorkflowDefinition.model_validate(
        {
            "name": UNTITLED,
            **values,
            "agents": [_agent(draft) for draft in parts.agents],
            "tasks": [_task(draft) for draft in parts.tasks],
            "inputs": [*(draft.definition for draft in parts.inputs.values()), *parts.implied],
            "budget": Budget.model_validate(budget) if budget else None,
        }
    )


def _agent(draft: Draft) -> AgentDefinition:
    values = dict(draft.found.values)
    planning = values.pop("planning_config", None)
    if isinstance(planning, dict):
        values = {"planning": True, **planning, **values}
    return AgentDefinition.model_validate({"key": draft.key, **values})


def _task(draft: Draft) -> TaskDefinition:
    values = dict(draft.found.values)
    single = values.pop("guardrail", None)
    rules = [*([single] if single else []), *draft.names("guardrails")]
    return TaskDefinition.model_validate({"key": draft.key, **values, "guardrails": rules})
