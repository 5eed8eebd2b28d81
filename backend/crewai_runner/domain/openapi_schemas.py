"""Converts schemas of OpenAPI documents into JSON Schemas that stand alone. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

MAX_VALUES = 5_000
_SCHEMAS = "#/components/schemas/"
_DROPPED = frozenset(
    {"example", "examples", "xml", "externalDocs", "discriminator", "deprecated", "nullable"}
)
_MAPS = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
"""Keywords whose members are named by the author, not by JSON Schema."""
_LITERALS = frozenset({"const", "default", "enum"})


class SchemaUnusable(ValueError):
    """An operation cannot be a tool; the message says why, for a person."""


def convert_schema(schema: Any, follow: Callable[[Any], Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose references lead to `definitions`, to which the schemas they need are added.

    `follow` returns what a reference leads to. What only OpenAPI 3.0 has, such as `nullable`, is translated.
    Raises SchemaUnusable.
    """
    return _Conversion(follow, definitions).convert(schema)


class _Conversion:
    def __init__(self, follow: Callable[[Any], Any], definitions: dict[str, Any]) -> None:
        self._follow, self._definitions = follow, definitions
        self._count = 0

    def convert(self, schema: Any) -> dict[str, Any]:
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, Mapping):
            raise SchemaUnusable("A schema is neither an object nor a truth value.")
        if isinstance(schema.get("$ref"), str):
            return {"$ref": self._refer(schema["$ref"])}
        converted = {
            str(name): self._convert_keyword(str(name), value)
            for name, value in schema.items()
            if name not in _DROPPED and not str(name).startswith("x-")
        }
        _translate_bounds(converted)
        return _add_null(converted) if schema.get("nullable") is True else converted

    def _convert_keyword(self, name: str, value: Any) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise SchemaUnusable("Its schema is too large.")
        if name in _LITERALS:
            return value
        if name in _MAPS and isinstance(value, Mapping):
            return {str(key): self.convert(inner) for key, inner in value.items()}
        if isinstance(value, Mapping):
            return self.convert(value)
        if isinstance(value, list):
            return [self.convert(inner) if isinstance(inner, Mapping) else inner for inner in value]
        return value

    def _refer(self, reference: str) -> str:
        if not reference.startswith(_SCHEMAS):
            raise SchemaUnusable(f"Its schema refers to {reference[:200]}; only {_SCHEMAS}… can be used.")
        name = reference.removeprefix(_SCHEMAS)
        if "/" in name:
            raise SchemaUnusable(f"Its schema refers to a part of another one: {reference[:200]}.")
        if name not in self._definitions:
            self._definitions[name] = {}
            self._definitions[name] = self.convert(self._follow({"$ref": reference}))
        return f"#/$defs/{name}"


def _translate_bounds(schema: dict[str, Any]) -> None:
    """Write bounds as JSON Schema does: in OpenAPI 3.0 `exclusiveMinimum: true` belongs to `minimum`."""
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(schema.get(exclusive), bool):
            del schema[exclusive]


def _add_null(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        null = {**schema, "type": [schema["type"], "null"]}
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            null["enum"] = [*schema["enum"], None]
        return null
    return {"anyOf": [schema, {"type": "null"}]}
