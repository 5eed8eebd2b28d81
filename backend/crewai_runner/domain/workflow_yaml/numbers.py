"""Numbers with bounds."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from crewai_runner.domain.workflow_yaml.kinds import Schema
from crewai_runner.domain.workflow_yaml.mistakes import BAD, Bad, last, wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Node, Scalar
from crewai_runner.domain.workflow_yaml.problems import Place, Problems


@dataclass(frozen=True)
class Whole:
    """A whole number between two bounds, both possible."""

    least: int
    most: int

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int) or isinstance(value, bool):
            return wrong_type(node, place, problems, "a whole number")
        return in_range(value, self.least, self.most, place, problems)

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Number:
    """A number between two bounds; `above` when the lower one is not itself possible."""

    least: float
    most: float
    above: bool = False

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return wrong_type(node, place, problems, "a number")
        return in_range(float(value), self.least, self.most, place, problems, above=self.above)

    def schema(self) -> Schema:
        lower = "exclusiveMinimum" if self.above else "minimum"
        return {"type": "number", lower: self.least, "maximum": self.most}

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True)
class Money:
    """An exact positive amount; a number, or a decimal in quotes."""

    most: int = 1_000_000_000
    places: int = 9

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        amount = _decimal(node)
        if amount is None:
            return wrong_type(node, place, problems, "a number")
        if -int(amount.normalize().as_tuple().exponent) > self.places:
            problems.error(
                place, "out-of-range", f"`{last(place)}` has more than {self.places} decimal places."
            )
            return BAD
        return in_range(amount, 0, self.most, place, problems, above=True)

    def schema(self) -> Schema:
        number: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": self.most}
        return {"anyOf": [number, {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}]}

    def write(self, value: object) -> object:
        amount = Decimal(str(value)).normalize()
        if amount == amount.to_integral_value():
            return int(amount)
        return float(amount) if Decimal(repr(float(amount))) == amount else f"{amount:f}"


_N = TypeVar("_N", int, float, Decimal)


def in_range(
    value: _N, least: float, most: float, place: Place, problems: Problems, *, above: bool = False
) -> _N | Bad:
    """The value if it lies between the bounds, else BAD and a problem."""
    if least <= value <= most and not (above and value == least):
        return value
    bounds = f"more than {least:g} and at most {most:,}" if above else f"from {least:g} to {most:,}"
    problems.error(place, "out-of-range", f"`{last(place)}` must be {bounds}.")
    return BAD


def _decimal(node: Node) -> Decimal | None:
    if not isinstance(node, Scalar) or isinstance(node.value, bool) or node.value is None:
        return None
    try:
        amount = Decimal(node.text.replace("_", "") if len(node.text) <= 40 else "nan")
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
