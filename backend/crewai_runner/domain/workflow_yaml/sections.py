"""Mappings with known keys, described by pydantic models; every key in snake_case or camelCase."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crewai_runner.domain.field_types import DocumentKey, describe_hidden_characters, excerpt
from crewai_runner.domain.workflow_yaml.messages import INVALID, report_wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Entry, Listing, Node, Scalar, Table
from crewai_runner.domain.workflow_yaml.problems import Location, Problems, did_you_mean
from crewai_runner.domain.workflow_yaml.unsupported_keys import UnsupportedKey
from crewai_runner.domain.workflow_yaml.values import Schema, Value, ValueReader

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Key:
    """One key of a mapping: its names, its value, and the attribute its value is stored in."""

    name: str
    attribute: str
    value: ValueReader
    required: bool
    annotations: Schema
    """Title and description for editors, and this product's `x-form` and `x-reference`."""
    also: tuple[str, ...] = ()
    camel: str = ""

    @cached_property
    def all_names(self) -> list[str]:
        """Every name of the key: as in CrewAI, in camelCase, and its other names."""
        names = [self.name, *self.also, *([self.camel] if self.camel else [])]
        return list(dict.fromkeys([*names, *(camel(name) for name in names)]))


@dataclass(frozen=True)
class Section:
    """A mapping with known keys."""

    title: str
    """Subject of messages, such as `An agent`."""
    keys: tuple[Key, ...]
    unsupported: Mapping[str, UnsupportedKey] = field(default_factory=dict)
    flattened: tuple[str, ...] = ()
    """Keys whose mapping is merged into this one."""

    @cached_property
    def by_name(self) -> dict[str, Key]:
        return {name: key for key in self.keys for name in (key.name, *key.also, key.camel) if name}


def keys_of(
    model: type[BaseModel],
    *,
    without: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    readers: Mapping[str, ValueReader] | None = None,
    types: Mapping[str, Any] | None = None,
) -> tuple[Key, ...]:
    """Return the keys of a model's fields.

    `optional` names fields that a document may omit although the model requires them; `readers` those that
    pydantic alone cannot validate; `types` those with narrower types than the model's.
    """
    keys = (
        key_of(attribute, info, (readers or {}).get(attribute), (types or {}).get(attribute))
        for attribute, info in model.model_fields.items()
        if attribute not in without
    )
    return tuple(replace(key, required=False) if key.attribute in optional else key for key in keys)


def key_of(attribute: str, info: FieldInfo, reader: ValueReader | None = None, narrower: Any = None) -> Key:
    """Build the key of a field. `narrower` replaces the type of the field."""
    written = next((item for item in info.metadata if isinstance(item, DocumentKey)), DocumentKey())
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    name = written.name or attribute
    if reader is None:
        constraints = tuple(item for item in info.metadata if not isinstance(item, DocumentKey))
        annotation = without_none(info.annotation) if narrower is None else narrower
        reference = str(extra.get("x-reference", ""))
        reader = Value(annotation, constraints if narrower is None else (), written, reference)
    annotations = {
        "title": info.title or attribute.replace("_", " ").capitalize(),
        "description": info.description,
        **extra,
    }
    return Key(name, attribute, reader, info.is_required(), annotations, written.also, written.camel)


def without_none(annotation: Any) -> Any:
    """Return the type without None."""
    if get_origin(annotation) in (Union, UnionType):
        options = tuple(option for option in get_args(annotation) if option is not NoneType)
        return Union[options]  # noqa: UP007 - the options are known at runtime only
    return annotation


@dataclass
class SectionValues:
    """Valid values of a mapping by attribute, with the nodes and locations of all values."""

    values: dict[str, object] = field(default_factory=dict)
    locations: dict[str, Location] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    valid: bool = True
    """False when anything but a warning was reported."""

    def location(self, attribute: str, item: int | None = None) -> Location:
        """Return the location of a value, or of one item of a list."""
        location = self.locations[attribute]
        node = self.nodes[attribute]
        if item is None or not isinstance(node, Listing):
            return location
        return location.item(item, node.items[item].index)


def read_section(table: Table, section: Section, location: Location, problems: Problems) -> SectionValues:
    """Validate a mapping. Values with problems are reported and left out."""
    found = SectionValues()
    for entry in _entries(table, section):
        _read_entry(entry, section, location, problems, found)
    for key in section.keys:
        if key.required and key.attribute not in found.locations:
            message = f"`{key.name}` is missing: {key.annotations['description']}"
            problems.error(location.to(key.name), "missing-field", message)
            found.valid = False
    return found


def _entries(table: Table, section: Section) -> Iterator[Entry]:
    for entry in table.entries.values():
        if snake(entry.key) in section.flattened and isinstance(entry.node, Table):
            yield from entry.node.entries.values()
        else:
            yield entry


def _read_entry(
    entry: Entry, section: Section, parent: Location, problems: Problems, found: SectionValues
) -> None:
    node = entry.node
    name = entry.key if entry.key in section.by_name else snake(entry.key)
    key = section.by_name.get(name)
    if key is None:
        location = parent.to(excerpt(entry.key), entry.index)
        found.valid &= _report_unknown_key(name, node, section, location, problems)
        return
    location = parent.to(entry.key, entry.index)
    if key.attribute in found.locations:
        message = f"`{entry.key}` repeats another key of this mapping. Keep one of them."
        problems.error(location, "duplicate-key", message)
        found.valid = False
        return
    is_null = isinstance(node, Scalar) and node.value is None
    if is_null and not key.required:
        return
    value_location = Location(node.index, location.path)
    found.locations[key.attribute] = value_location
    found.nodes[key.attribute] = node
    value: object = INVALID
    if is_null:
        message = f"`{key.name}` has no value: {key.annotations['description']}"
        problems.error(location, "missing-field", message)
    else:
        value = key.value.read(node, value_location, problems)
    if value is INVALID:
        found.valid = False
    else:
        found.values[key.attribute] = value


def _report_unknown_key(
    name: str, node: Node, section: Section, location: Location, problems: Problems
) -> bool:
    """Report an unknown or unsupported key; return True when the key merely has no effect."""
    unsupported = section.unsupported.get(name)
    if unsupported is None:
        near = problems.nearest(name, section.by_name)
        hidden = describe_hidden_characters(location.name)
        reason = f" In this name, {hidden}." if hidden else ""
        message = f"{section.title} has no key `{location.name}`.{reason}{did_you_mean(near)}"
        problems.error(location, "unknown-key", message, near)
        return False
    if unsupported.only_warns or (isinstance(node, Scalar) and node.value in unsupported.harmless):
        problems.warn(location, "no-effect", f"`{name}` has no effect here. {unsupported.reason}")
        return True
    problems.error(location, unsupported.code, f"`{name}` is not supported here. {unsupported.reason}")
    return False


@dataclass(frozen=True)
class Nested:
    """A mapping within a mapping; its value is a dict by attribute."""

    section: Section

    def read(self, node: Node, location: Location, problems: Problems) -> object:
        if not isinstance(node, Table):
            return report_wrong_type(node, location, problems, "a mapping")
        found = read_section(node, self.section, location, problems)
        return found.values if found.valid else INVALID

    def schema(self) -> Schema:
        return section_schema(self.section)


def section_schema(section: Section) -> Schema:
    """Return the JSON Schema of a section: every name of every key, with its annotations."""
    properties: Schema = {}
    for key in section.keys:
        described = {**key.annotations, **key.value.schema()}
        for name in key.all_names:
            properties[name] = described
    for name in section.flattened:
        properties[name] = {"type": "object", "description": "Its keys are merged into this mapping."}
    required = [
        {"anyOf": [{"required": [name]} for name in key.all_names]} for key in section.keys if key.required
    ]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "allOf": required} if required else schema


def snake(name: str) -> str:
    """Convert camelCase to snake_case: `allowDelegation` to `allow_delegation`."""
    return _HUMP.sub("_", name).lower()


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
