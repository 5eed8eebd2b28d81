"""Serialisation of a definition as a document: in CrewAI's mapping format, or in the list format."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import yaml

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.model_settings import ModelChoice
from crewai_runner.domain.tool_policy import ToolLimit
from crewai_runner.domain.workflow import AgentDefinition, InputDefinition, TaskDefinition, WorkflowDefinition
from crewai_runner.domain.workflow_yaml.document_keys import (
    AGENT_SECTION,
    BUDGET_SECTION,
    CREW_SECTION,
    MODEL_SECTION,
    TASK_SECTION,
)
from crewai_runner.domain.workflow_yaml.sections import Section, camel

Document = dict[str, Any]

_ORDER = ("name", "description", "process")
_CAMEL_NAMES = {
    key.name: key.camel
    for section in (CREW_SECTION, AGENT_SECTION, TASK_SECTION)
    for key in section.keys
    if key.camel
}
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def to_mapping(definition: WorkflowDefinition) -> Document:
    """Convert to the mapping format: agents and tasks by name, keys in snake_case."""
    agents = {agent.key: _build_agent(agent) for agent in definition.agents}
    tasks = {task.key: _build_task(task) for task in definition.tasks}
    inputs = {declared.name: _build_input(declared) for declared in definition.inputs}
    return _build_document(definition, agents, tasks, inputs)


def to_list(definition: WorkflowDefinition) -> Document:
    """Convert to the list format: agents, tasks and inputs as lists with `name`, keys in camelCase."""
    agents = [{"name": agent.key, **_camel_keys(_build_agent(agent))} for agent in definition.agents]
    tasks = [{"name": task.key, **_camel_keys(_build_task(task))} for task in definition.tasks]
    inputs = [{"name": declared.name, **_build_input(declared)} for declared in definition.inputs]
    document = _camel_keys(_build_document(definition, agents, tasks, inputs))
    return {name: _camel_keys(value) if name == "budget" else value for name, value in document.items()}


def dump(document: Document) -> str:
    """Write a document as YAML, with multi-line texts as blocks. `parse` reads the same values from it."""
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return str(text)


def _build_document(definition: WorkflowDefinition, agents: Any, tasks: Any, inputs: Any) -> Document:
    crew = _write_keys(definition, CREW_SECTION)
    first = {name: crew.pop(name) for name in _ORDER if name in crew}
    inputs_entry = {"inputs": inputs} if inputs else {}
    return {**first, **inputs_entry, "agents": agents, "tasks": tasks, **crew}


def _build_agent(agent: AgentDefinition) -> Document:
    return _write_keys(agent, AGENT_SECTION)


def _build_task(task: TaskDefinition) -> Document:
    written = _write_keys(task, TASK_SECTION)
    if len(task.guardrails) == 1:
        written["guardrail"] = written.pop("guardrails")[0]
    return written


def _build_input(declared: InputDefinition) -> Document:
    written: Document = {"type": declared.type.value}
    if declared.description is not None:
        written["description"] = declared.description
    if declared.default is not None:
        written["default"] = declared.default
    if declared.enum:
        written["enum"] = list(declared.enum)
    if declared.required != (declared.default is None):
        written["required"] = declared.required
    return written


def _write_keys(model: ApiModel, section: Section) -> Document:
    fields = type(model).model_fields
    written: Document = {}
    for key in section.keys:
        if key.attribute not in fields or key.attribute in _MEMBERS:
            continue
        value = getattr(model, key.attribute)
        if value is not None and value != fields[key.attribute].get_default(call_default_factory=True):
            written[key.name] = _to_yaml_value(value)
    return written


def _to_yaml_value(value: object) -> object:
    if isinstance(value, ModelChoice):
        written = {"model": value.name, **_write_keys(value.settings, MODEL_SECTION)}
        return written if len(written) > 1 else value.name
    if isinstance(value, Budget):
        return _write_keys(value, BUDGET_SECTION)
    if isinstance(value, ToolLimit):
        return value.model_dump(exclude_none=True, by_alias=False)
    if isinstance(value, dict):
        return {name: _to_yaml_value(item) for name, item in value.items()}
    if isinstance(value, StrEnum):
        return value.value
    return _to_number(value) if isinstance(value, Decimal) else value


def _to_number(amount: Decimal) -> int | float | str:
    """Return the amount as a YAML number, or as text when a float would change it."""
    amount = amount.normalize()
    if amount == amount.to_integral_value():
        return int(amount)
    return float(amount) if Decimal(repr(float(amount))) == amount else f"{amount:f}"


_MEMBERS = frozenset({"agents", "tasks", "inputs"})


def _camel_keys(document: Document) -> Document:
    return {_CAMEL_NAMES.get(name, camel(name)): value for name, value in document.items()}


class _Dumper(_DUMPER):  # type: ignore[misc]
    """Writes multi-line texts as blocks, and no aliases, for readability."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _write_text(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text.strip("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)
