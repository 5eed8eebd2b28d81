"""JSON Schema of a workflow document, for editors: both formats, every key with its description."""

from typing import Any

from crewai_runner.domain.field_types import INPUT_NAME
from crewai_runner.domain.workflow_yaml.document_keys import (
    AGENT_SECTION,
    CREW_SECTION,
    INPUT_SECTION,
    MAX_AGENTS,
    MAX_INPUTS,
    MAX_TASKS,
    TASK_SECTION,
)
from crewai_runner.domain.workflow_yaml.input_definitions import VALUE
from crewai_runner.domain.workflow_yaml.members import NAME
from crewai_runner.domain.workflow_yaml.sections import Section, section_schema
from crewai_runner.domain.workflow_yaml.values import Schema

_TITLE = "CrewAI workflow"
_DESCRIPTION = (
    "A crew of agents and the tasks they do. Keys are in snake_case, as in CrewAI, or in camelCase."
)
_NAMED = {"title": "Name", "description": "The name that other parts refer to.", **NAME.schema()}


def json_schema() -> dict[str, Any]:
    """Return a self-contained JSON Schema (draft 2020-12).

    References between parts and placeholders are checked by `parse` only. The schema is stricter in one
    case: it rejects keys without effect, for which `parse` only warns.
    """
    crew = _allow_null(section_schema(CREW_SECTION))
    crew["properties"] = {
        **_properties(crew),
        **{name: {"$ref": "#/$defs/crew"} for name in CREW_SECTION.flattened},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": _TITLE,
        "description": _DESCRIPTION,
        "type": "object",
        "properties": crew["properties"],
        "additionalProperties": False,
        "anyOf": [
            {"required": ["agents", "tasks"]},
            *({"required": [name]} for name in CREW_SECTION.flattened),
        ],
        "$defs": {
            "crew": {
                "description": "The whole workflow or a part of it: its keys are merged into the document.",
                "type": "object",
                "properties": {
                    name: described for name, described in _properties(crew).items() if name not in _PARTS
                },
                "additionalProperties": False,
            },
            "agent": _allow_null(section_schema(AGENT_SECTION)),
            "namedAgent": _named_schema(AGENT_SECTION),
            "agents": _members_schema("agent", "namedAgent", MAX_AGENTS),
            "task": _allow_null(section_schema(TASK_SECTION)),
            "namedTask": _named_schema(TASK_SECTION),
            "tasks": _members_schema("task", "namedTask", MAX_TASKS),
            "inputs": _inputs_schema(),
        },
    }


_PARTS = frozenset(CREW_SECTION.flattened)


def _members_schema(member: str, named: str, limit: int) -> Schema:
    reference = {"$ref": f"#/$defs/{member}"}
    alone = {"type": "object", "additionalProperties": reference, "minProperties": 1, "maxProperties": 1}
    mapping = {
        "type": "object",
        "additionalProperties": reference,
        "propertyNames": NAME.schema(),
        "minProperties": 1,
        "maxProperties": limit,
    }
    listing = {
        "type": "array",
        "items": {
            "if": {"required": ["name"]},
            "then": {"$ref": f"#/$defs/{named}"},
            "else": {"if": {"maxProperties": 1}, "then": alone, "else": reference},
        },
        "minItems": 1,
        "maxItems": limit,
    }
    return {"if": {"type": "array"}, "then": listing, "else": mapping}


def _named_schema(section: Section) -> Schema:
    schema = _allow_null(section_schema(section))
    return {**schema, "properties": {"name": _NAMED, **_properties(schema)}, "required": ["name"]}


def _inputs_schema() -> Schema:
    typed = _allow_null(section_schema(INPUT_SECTION))
    one = {
        "if": {"type": "object"},
        "then": typed,
        "else": {**VALUE.schema(), "type": [*_SHORT_DEFAULTS, "null"]},
    }
    named = {**typed, "properties": {"name": {"type": "string"}, **_properties(typed)}, "required": ["name"]}
    mapping = {
        "type": "object",
        "additionalProperties": one,
        "propertyNames": {"pattern": f"^{INPUT_NAME.pattern}$", "maxLength": 64},
        "maxProperties": MAX_INPUTS,
    }
    listing = {"type": "array", "items": {"anyOf": [{"type": "string"}, named]}, "maxItems": MAX_INPUTS}
    return {"if": {"type": "array"}, "then": listing, "else": mapping}


_SHORT_DEFAULTS = ("string", "number", "boolean", "array")


def _allow_null(schema: Schema) -> Schema:
    """Allow null for optional keys: it means the same as an omitted key."""
    clauses: Any = schema.get("allOf", [])
    needed = {name for clause in clauses for choice in clause["anyOf"] for name in choice["required"]}
    properties = {
        name: described
        if name in needed
        else {**_annotations(described), "anyOf": [_without_annotations(described), {"type": "null"}]}
        for name, described in _properties(schema).items()
    }
    return {**schema, "properties": properties}


_ANNOTATIONS = ("title", "description", "x-form", "x-reference")


def _annotations(described: dict[str, Any]) -> dict[str, Any]:
    return {name: described[name] for name in _ANNOTATIONS if name in described}


def _without_annotations(described: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in described.items() if name not in _ANNOTATIONS}


def _properties(schema: Schema) -> dict[str, Any]:
    properties: Any = schema["properties"]
    return dict(properties)
