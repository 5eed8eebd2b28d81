"""Mappings with known keys: read against a table, every key in snake_case or camelCase."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crewai_runner.domain.workflow_yaml.kinds import Kind, Schema
from crewai_runner.domain.workflow_yaml.mistakes import BAD, wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Entry, Listing, Node, Scalar, Table, is_null
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, did_you_mean, shown
from crewai_runner.domain.workflow_yaml.refused import Refusal

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Key:
    """One key: how it is written, what it takes, and where its value goes in the definition."""

    name: str
    kind: Kind
    about: str
    attribute: str = ""
    required: bool = False
    also: tuple[str, ...] = ()
    """Further names of the same thing."""
    listed: str = ""
    """Its name in the list form, where that is not simply camelCase."""
    title: str = ""
    """Label in editors; by default the name with spaces and a capital."""
    in_form: bool = False
    """Whether the form of the web editor has a control for this key."""
    reference: str = ""
    """What the value names: `agent`, `task`, `model`, `embedder`, `tool` or `mcp-server`."""

    @property
    def target(self) -> str:
        return self.attribute or self.name

    def annotations(self) -> Schema:
        """JSON Schema annotations for editors; the `x-` ones are this product's own."""
        annotations: Schema = {
            "title": self.title or self.name.replace("_", " ").capitalize(),
            "description": self.about,
        }
        if self.in_form:
            annotations["x-form"] = True
        if self.reference:
            annotations["x-reference"] = self.reference
        return annotations


@dataclass(frozen=True)
class Section:
    """A mapping with known keys."""

    what: str
    keys: tuple[Key, ...]
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    folded: tuple[str, ...] = ()
    """Keys whose own mapping counts as if it stood one level up."""

    def key(self, name: str) -> Key | None:
        return self._by_name().get(name)

    def names(self) -> list[str]:
        return list(self._by_name())

    def _by_name(self) -> dict[str, Key]:
        # Rebuilt at each call would cost a tenth of the whole parse: kept beside the frozen fields.
        known = self.__dict__.get("_known")
        if known is None:
            known = {name: key for key in self.keys for name in (key.name, *key.also, key.listed) if name}
            self.__dict__["_known"] = known
        return known


@dataclass
class Found:
    """What a mapping held: values by attribute, and where each stands."""

    values: dict[str, object] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    sound: bool = True

    def place(self, attribute: str, item: int | None = None) -> Place:
        """Where a value stands, or one item of a list."""
        place = self.places[attribute]
        node = self.nodes[attribute]
        if item is None or not isinstance(node, Listing):
            return place
        return place.item(item, node.items[item].index)


def snake(name: str) -> str:
    """`allowDelegation` as `allow_delegation`."""
    return _HUMP.sub("_", name).lower()


def read_section(table: Table, section: Section, place: Place, problems: Problems) -> Found:
    """Reads a mapping; `sound` is False when something that matters was reported."""
    found = Found()
    for entry in _entries(table, section):
        _read_entry(entry, section, place, problems, found)
    for key in section.keys:
        if key.required and key.target not in found.places:
            message = f"`{key.name}` is missing: {key.about}"
            problems.error(place.to(key.name), "missing-field", message)
            found.sound = False
    return found


def _entries(table: Table, section: Section) -> Iterator[Entry]:
    for entry in table.entries:
        if snake(entry.key) in section.folded and isinstance(entry.node, Table):
            yield from entry.node.entries
        else:
            yield entry


def _read_entry(entry: Entry, section: Section, place: Place, problems: Problems, found: Found) -> None:
    name = entry.key if section.key(entry.key) else snake(entry.key)
    spot = place.to(shown(entry.key), entry.index)
    key = section.key(name)
    if key is None:
        found.sound &= _refuse(name, entry.node, section, spot, problems)
        return
    if key.target in found.places:
        message = f"`{entry.key}` says again what another key here says. Keep one of them."
        problems.error(spot, "duplicate-key", message)
        found.sound = False
        return
    if is_null(entry.node) and not key.required:
        return
    found.places[key.target] = Place(entry.node.index, spot.path)
    found.nodes[key.target] = entry.node
    value = _required_value(entry.node, key, spot, problems)
    if value is BAD:
        found.sound = False
    else:
        found.values[key.target] = value


def _required_value(node: Node, key: Key, spot: Place, problems: Problems) -> object:
    if is_null(node):
        problems.error(spot, "missing-field", f"`{key.name}` has no value: {key.about}")
        return BAD
    return key.kind.read(node, Place(node.index, spot.path), problems)


def _refuse(name: str, node: Node, section: Section, spot: Place, problems: Problems) -> bool:
    """Report a key that has no place here. True when it only does nothing."""
    refusal = section.refused.get(name)
    if refusal is None:
        near = problems.nearest(name, section.names())
        message = f"{section.what} has no `{spot.path.rsplit('.', 1)[-1]}`.{did_you_mean(near)}"
        problems.error(spot, "unknown-key", message, near)
        return False
    if refusal.only_warns or (isinstance(node, Scalar) and node.value in refusal.harmless):
        problems.warn(spot, "no-effect", f"`{name}` has no effect here. {refusal.why}")
        return True
    problems.error(spot, refusal.code, f"`{name}` is not possible here. {refusal.why}")
    return False


@dataclass(frozen=True)
class Nested:
    """A mapping inside a mapping; its value is what was found in it, by attribute."""

    section: Section

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Table):
            return wrong_type(node, place, problems, "a mapping")
        found = read_section(node, self.section, place, problems)
        return found.values if found.sound else BAD

    def schema(self) -> Schema:
        return section_schema(self.section)

    def write(self, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        written = {
            key.name: key.kind.write(value[key.target]) for key in self.section.keys if key.target in value
        }
        return {name: inner for name, inner in written.items() if inner is not None}


def section_schema(section: Section) -> Schema:
    """JSON Schema of a section: every spelling of every key, with its annotations."""
    properties: dict[str, object] = {}
    for key in section.keys:
        described = {**key.annotations(), **key.kind.schema()}
        for name in spellings(key):
            properties[name] = described
    for name in section.folded:
        properties[name] = {"type": "object", "description": "Its keys count as if they stood one level up."}
    required = [
        {"anyOf": [{"required": [name]} for name in spellings(key)]} for key in section.keys if key.required
    ]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "allOf": required} if required else schema


def spellings(key: Key) -> list[str]:
    """Every name of a key: as in CrewAI, in camelCase, and its other names."""
    names = [key.name, *key.also, *([key.listed] if key.listed else [])]
    return list(dict.fromkeys([*names, *(camel(name) for name in names)]))


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
