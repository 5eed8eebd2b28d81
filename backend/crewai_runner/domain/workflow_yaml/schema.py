"""JSON Schema of a workflow document, for editors: both spellings, every key with its description."""

from typing import Any

from crewai_runner.domain.workflow_yaml.fields import (
    AGENT_SECTION,
    CREW_SECTION,
    MAX_AGENTS,
    MAX_INPUTS,
    MAX_TASKS,
    TASK_SECTION,
)
from crewai_runner.domain.workflow_yaml.input_definitions import SECTION as INPUT_SECTION
from crewai_runner.domain.workflow_yaml.input_definitions import Value
from crewai_runner.domain.workflow_yaml.kinds import Schema
from crewai_runner.domain.workflow_yaml.names import INPUT_NAME, NAME
from crewai_runner.domain.workflow_yaml.sections import Section, section_schema

_TITLE = "CrewAI workflow"
_ABOUT = "A crew of agents and the tasks they do. Keys are in snake_case, as in CrewAI, or in camelCase."
_NAMED = {"title": "Name", "description": "Its name: how the other parts refer to it.", **NAME.schema()}


def json_schema() -> dict[str, Any]:
    """One self-contained document (JSON Schema 2020-12).

    Who is named where, and placeholders, only `parse` can judge. The one thing that is stricter
    here: a key that has no effect is unknown, where `parse` says so in a warning.
    """
    crew = _open_to_null(section_schema(CREW_SECTION))
    crew["properties"] = {
        **_properties(crew),
        **{name: {"$ref": "#/$defs/crew"} for name in CREW_SECTION.folded},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": _TITLE,
        "description": _ABOUT,
        "type": "object",
        "properties": crew["properties"],
        "additionalProperties": False,
        "anyOf": [{"required": ["agents", "tasks"]}, *({"required": [name]} for name in CREW_SECTION.folded)],
        "$defs": {
            "crew": {
                "description": "All of it, or a part: its keys count as if they stood at the top.",
                "type": "object",
                "properties": {
                    name: about for name, about in _properties(crew).items() if name not in _PARTS
                },
                "additionalProperties": False,
            },
            "agent": _open_to_null(section_schema(AGENT_SECTION)),
            "namedAgent": _named(AGENT_SECTION),
            "agents": _both("agent", "namedAgent", MAX_AGENTS),
            "task": _open_to_null(section_schema(TASK_SECTION)),
            "namedTask": _named(TASK_SECTION),
            "tasks": _both("task", "namedTask", MAX_TASKS),
            "inputs": _inputs(),
        },
    }


_PARTS = frozenset(CREW_SECTION.folded)


def _both(one: str, named: str, most: int) -> Schema:
    reference = {"$ref": f"#/$defs/{one}"}
    alone = {"type": "object", "additionalProperties": reference, "minProperties": 1, "maxProperties": 1}
    mapping = {
        "type": "object",
        "additionalProperties": reference,
        "propertyNames": NAME.schema(),
        "minProperties": 1,
        "maxProperties": most,
    }
    listing = {
        "type": "array",
        "items": {"if": {"required": ["name"]}, "then": {"$ref": f"#/$defs/{named}"}, "else": alone},
        "minItems": 1,
        "maxItems": most,
    }
    return {"if": {"type": "array"}, "then": listing, "else": mapping}


def _named(section: Section) -> Schema:
    schema = _open_to_null(section_schema(section))
    return {**schema, "properties": {"name": _NAMED, **_properties(schema)}, "required": ["name"]}


def _inputs() -> Schema:
    typed = _open_to_null(section_schema(INPUT_SECTION))
    one = {"if": {"type": "object"}, "then": typed, "else": {**Value().schema(), "type": [*_SCALARS, "null"]}}
    named = {**typed, "properties": {"name": {"type": "string"}, **_properties(typed)}, "required": ["name"]}
    mapping = {
        "type": "object",
        "additionalProperties": one,
        "propertyNames": {"pattern": f"^{INPUT_NAME.pattern}$", "maxLength": 64},
        "maxProperties": MAX_INPUTS,
    }
    listing = {"type": "array", "items": {"anyOf": [{"type": "string"}, named]}, "maxItems": MAX_INPUTS}
    return {"if": {"type": "array"}, "then": listing, "else": mapping}


_SCALARS = ("string", "number", "boolean")


def _open_to_null(schema: Schema) -> Schema:
    """A key without a value counts as left out, unless it is required."""
    needed = {name for clause in _clauses(schema) for name in clause}
    properties = {
        name: about
        if name in needed
        else {**_annotations(about), "anyOf": [_without_annotations(about), {"type": "null"}]}
        for name, about in _properties(schema).items()
    }
    return {**schema, "properties": properties}


_ANNOTATIONS = ("title", "description", "x-form", "x-reference")


def _annotations(about: dict[str, Any]) -> dict[str, Any]:
    return {name: about[name] for name in _ANNOTATIONS if name in about}


def _without_annotations(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in _ANNOTATIONS}


def _clauses(schema: Schema) -> list[list[str]]:
    clauses: Any = schema.get("allOf", [])
    return [[name for choice in clause["anyOf"] for name in choice["required"]] for clause in clauses]


def _properties(schema: Schema) -> dict[str, Any]:
    properties: Any = schema["properties"]
    return dict(properties)
