"""Checks the arguments that a model wrote for a tool against the tool's JSON Schema. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry

from crewai_runner.core.bounded_json import MAX_DEPTH, is_deeper_than
from crewai_runner.core.text import check_storable
from crewai_runner.domain.schema_expansion import find_schema_excess
from crewai_runner.domain.structured_output import BoundedValidator

MAX_ARGUMENTS_LENGTH = 200_000
MAX_SCHEMA_LENGTH = 64_000
_MAX_MESSAGE_LENGTH = 400
_MAX_DIGITS = 40
_NUMBERS = {"integer": int, "number": float}
_TRUTHS = {"true": True, "false": False}


class ArgumentsInvalid(ValueError):
    """The arguments do not match the schema; the message is for the model."""


def check_parameters(schema: object) -> str | None:
    """Return why a JSON Schema from outside cannot describe a tool's arguments; None if it can."""
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        return "The schema of a tool's arguments must describe an object."
    if is_deeper_than(schema, MAX_DEPTH) or len(json.dumps(schema)) > MAX_SCHEMA_LENGTH:
        return f"The schema is nested too deeply or longer than {MAX_SCHEMA_LENGTH:,} characters."
    if any(not reference.startswith("#/") for reference in _list_references(schema)):
        return "The schema refers to another document; only references inside it are allowed."
    if _uses(schema, "patternProperties"):
        return "The schema uses `patternProperties`, whose patterns cannot be checked in bounded time."
    return find_schema_excess(schema)


def check_arguments(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments as the schema wants them. Raises ArgumentsInvalid.

    Models often write a number or a truth value as text, and null for what they leave out: this is
    corrected. Arguments of which the schema says nothing are left out, as CrewAI does.
    """
    if is_deeper_than(arguments, MAX_DEPTH) or len(json.dumps(arguments)) > MAX_ARGUMENTS_LENGTH:
        raise ArgumentsInvalid(
            f"The arguments are nested too deeply or longer than {MAX_ARGUMENTS_LENGTH:,} characters."
        )
    try:
        corrected = _correct(check_storable(dict(arguments)), schema)
    except ValueError as error:
        raise ArgumentsInvalid(str(error)) from None
    problem = best_match(BoundedValidator(schema, registry=Registry()).iter_errors(corrected))
    if problem is not None:
        raise ArgumentsInvalid(_describe(problem, schema))
    return corrected


def _correct(arguments: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    properties, required = schema.get("properties") or {}, schema.get("required") or ()
    corrected = {}
    is_open = "additionalProperties" in schema or "properties" not in schema
    for name, value in arguments.items():
        if name not in properties and not is_open:
            continue
        types = _list_types(properties.get(name))
        if value is None and name not in required and "null" not in types:
            continue
        corrected[name] = _correct_text(value, types) if isinstance(value, str) else value
    return corrected


def _correct_text(value: str, types: set[str]) -> Any:
    if "string" in types:
        return value
    if "boolean" in types and value.strip().lower() in _TRUTHS:
        return _TRUTHS[value.strip().lower()]
    for name, convert in _NUMBERS.items():
        if name in types and len(value) <= _MAX_DIGITS:
            try:
                return convert(value)
            except ValueError:
                continue
    return value


def _list_types(schema: object) -> set[str]:
    """Return the types that a property may have; empty if the schema does not say."""
    if not isinstance(schema, Mapping):
        return set()
    named = schema.get("type")
    types = {named} if isinstance(named, str) else set(named) if isinstance(named, list) else set()
    for choice in (*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())):
        types |= _list_types(choice)
    return types


def _list_references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name in ("$ref", "$dynamicRef"):
            if isinstance(reference := value.get(name), str):
                yield reference
        for inner in value.values():
            yield from _list_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_references(inner)


def _uses(value: object, keyword: str) -> bool:
    if isinstance(value, Mapping):
        return keyword in value or any(_uses(inner, keyword) for inner in value.values())
    return isinstance(value, list) and any(_uses(inner, keyword) for inner in value)


def _shorten(message: str) -> str:
    """Return the beginning and the end: a long value stands before what is wrong with it."""
    if len(message) <= _MAX_MESSAGE_LENGTH:
        return message
    half = _MAX_MESSAGE_LENGTH // 2
    return f"{message[:half]} … {message[-half:]}"


def _describe(problem: ValidationError, schema: Mapping[str, Any]) -> str:
    where = problem.json_path.removeprefix("$").lstrip(".")
    place = f"`{where}`: " if where else ""
    names = ", ".join(f"`{name}`" for name in schema.get("properties") or ()) or "none"
    return f"{place}{_shorten(problem.message)}. The arguments of this tool are: {names}."
