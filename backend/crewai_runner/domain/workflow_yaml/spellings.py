"""A definition as a document: in CrewAI's native mappings, or in the list form. Nothing is lost."""

from typing import Any

import yaml

from crewai_runner.domain.workflow import (
    AgentDefinition,
    InputDefinition,
    TaskDefinition,
    WorkflowDefinition,
)
from crewai_runner.domain.workflow_yaml.fields import AGENT_SECTION, CREW_SECTION, TASK_SECTION
from crewai_runner.domain.workflow_yaml.sections import Section, camel

Document = dict[str, Any]

_ORDER = ("name", "description", "process")
_LISTED = {"llm": "model", "manager_llm": "managerModel"}
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def to_mapping(definition: WorkflowDefinition) -> Document:
    """The native form: agents and tasks as mappings by name, keys in snake_case."""
    agents = {agent.key: _agent(agent) for agent in definition.agents}
    tasks = {task.key: _task(task) for task in definition.tasks}
    inputs = {wanted.name: _input(wanted) for wanted in definition.inputs}
    return _document(definition, agents, tasks, inputs)


def to_list(definition: WorkflowDefinition) -> Document:
    """The list form: agents, tasks and inputs as lists with `name`, keys in camelCase."""
    agents = [{"name": agent.key, **_listed(_agent(agent))} for agent in definition.agents]
    tasks = [{"name": task.key, **_listed(_task(task))} for task in definition.tasks]
    inputs = [{"name": wanted.name, **_input(wanted)} for wanted in definition.inputs]
    document = _listed(_document(definition, agents, tasks, inputs))
    return {name: _listed(value) if name == "budget" else value for name, value in document.items()}


def dump(document: Document) -> str:
    """YAML text of a document, with long texts as blocks. `parse` reads the same values from it."""
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return str(text)


def _document(definition: WorkflowDefinition, agents: Any, tasks: Any, inputs: Any) -> Document:
    crew = _written(definition, CREW_SECTION)
    first = {name: crew.pop(name) for name in _ORDER if name in crew}
    asked = {"inputs": inputs} if inputs else {}
    return {**first, **asked, "agents": agents, "tasks": tasks, **crew}


def _agent(agent: AgentDefinition) -> Document:
    return _written(agent, AGENT_SECTION)


def _task(task: TaskDefinition) -> Document:
    written = _written(task, TASK_SECTION)
    if len(task.guardrails) == 1:
        written["guardrail"] = written.pop("guardrails")[0]
    return written


def _input(wanted: InputDefinition) -> Document:
    written: Document = {"type": wanted.type.value}
    if wanted.description is not None:
        written["description"] = wanted.description
    if wanted.default is not None:
        written["default"] = wanted.default
    if wanted.enum:
        written["enum"] = list(wanted.enum)
    if wanted.required != (wanted.default is None):
        written["required"] = wanted.required
    return written


def _written(model: AgentDefinition | TaskDefinition | WorkflowDefinition, section: Section) -> Document:
    fields = type(model).model_fields
    written: Document = {}
    for key in section.keys:
        if key.target not in fields or key.target in _MEMBERS:
            continue
        value = getattr(model, key.target)
        if value is not None and value != fields[key.target].get_default(call_default_factory=True):
            written[key.name] = key.kind.write(_plain(value))
    return written


def _plain(value: Any) -> Any:
    # A budget is written by attribute; everything else as its kind knows it.
    return value.model_dump(by_alias=False, exclude_none=True) if type(value).__name__ == "Budget" else value


_MEMBERS = frozenset({"agents", "tasks", "inputs"})


def _listed(document: Document) -> Document:
    return {_LISTED.get(name, camel(name)): value for name, value in document.items()}


class _Dumper(_DUMPER):  # type: ignore[misc]
    """Writes long texts as blocks, and never an alias: people read this."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _write_text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text.strip("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)
