"""What the value of a key may be: how it is read, described to editors, and written again."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from crewai_runner.domain.workflow_yaml.mistakes import BAD, last, wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, is_storable
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, did_you_mean, shown

Schema = dict[str, object]


class Kind(Protocol):
    """What the value of a key may be."""

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        """The value, or BAD when problems were reported."""

    def schema(self) -> Schema:
        """JSON Schema of the value, for editors."""

    def write(self, value: object) -> object:
        """The value as a document has it."""


@dataclass(frozen=True)
class Text:
    """Text of a bounded length; never empty."""

    limit: int = 20_000
    pattern: re.Pattern[str] | None = None
    rule: str = ""
    examples: tuple[str, ...] = ()

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong_type(node, place, problems, "text")
        return self.check(node.value, place, problems)

    def check(self, text: str, place: Place, problems: Problems) -> object:
        if not text.strip():
            problems.error(
                place, "empty-text", f"`{last(place)}` is empty. Write something, or leave it out."
            )
            return BAD
        if len(text) > self.limit:
            problems.error(
                place, "text-too-long", f"`{last(place)}` is longer than {self.limit:,} characters."
            )
            return BAD
        if not is_storable(text):
            problems.error(place, "control-character", f"`{last(place)}` contains a control character.")
            return BAD
        if self.pattern is not None and not self.pattern.fullmatch(text):
            problems.error(place, "bad-name", f"`{shown(text)}` is not possible here: {self.rule}.")
            return BAD
        return text

    def schema(self) -> Schema:
        schema: Schema = {"type": "string", "minLength": 1, "maxLength": self.limit}
        if self.examples:
            schema["examples"] = list(self.examples)
        return schema

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        return wrong_type(node, place, problems, "true or false")

    def schema(self) -> Schema:
        return {"type": "boolean"}

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Choice:
    """One of the values of an enumeration."""

    options: type[StrEnum]

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        names = [option.value for option in self.options]
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return wrong_type(node, place, problems, f"one of {', '.join(names)}")
        if node.value in names:
            return self.options(node.value)
        near = problems.nearest(node.value, names)
        message = f"`{shown(node.value)}` is none of {', '.join(names)}.{did_you_mean(near)}"
        problems.error(place, "unknown-value", message, near)
        return BAD

    def schema(self) -> Schema:
        return {"type": "string", "enum": [option.value for option in self.options]}

    def write(self, value: object) -> object:
        return str(value)


@dataclass(frozen=True)
class ListOf:
    """A list of things of one kind."""

    item: Kind
    most: int
    what: str = "a list"
    alone: bool = False
    """Whether one thing may stand without a list around it."""
    unique: bool = False

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if not isinstance(node, Listing):
            if self.alone and not isinstance(node, Table):
                value = self.item.read(node, place, problems)
                return BAD if value is BAD else [value]
            return wrong_type(node, place, problems, self.what)
        if len(node.items) > self.most:
            problems.error(place, "too-many-items", f"`{last(place)}` has more than {self.most} items.")
            return BAD
        values = [
            self.item.read(item, place.item(number, item.index), problems)
            for number, item in enumerate(node.items)
        ]
        return BAD if BAD in values else self._once(values, node, place, problems)

    def _once(self, values: list[object], node: Listing, place: Place, problems: Problems) -> object:
        if not self.unique:
            return values
        for number, value in enumerate(values):
            if value in values[:number]:
                spot = place.item(number, node.items[number].index)
                problems.warn(spot, "duplicate-item", f"`{value}` is in the list already. Remove it here.")
        return list(dict.fromkeys(values))

    def schema(self) -> Schema:
        listing: Schema = {"type": "array", "items": self.item.schema(), "maxItems": self.most}
        return {"anyOf": [listing, self.item.schema()]} if self.alone else listing

    def write(self, value: object) -> object:
        return [self.item.write(item) for item in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Members:
    """The agents, tasks or inputs of a document: kept as they stand, and read by `drafts`."""

    what: str

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if isinstance(node, Scalar):
            return wrong_type(node, place, problems, f"a mapping or a list of {self.what}")
        return node

    def schema(self) -> Schema:
        return {"$ref": f"#/$defs/{self.what}"}

    def write(self, value: object) -> object:
        return value
