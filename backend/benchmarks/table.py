"""The table of benchmark results."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Goal:
    """A limit for the ratio to the reference, or for the product's own value."""

    limit: float
    of: Literal["ratio", "figure"] = "ratio"
    at_least: bool = False

    def is_met(self, row: "Row") -> bool | None:
        """Return None if a value is missing."""
        figure = row.ratio if self.of == "ratio" else row.product
        if figure is None:
            return None
        return figure >= self.limit if self.at_least else figure <= self.limit

    def format(self, unit: str) -> str:
        shown = f"{self.limit:g}" + ("x" if self.of == "ratio" else f" {unit}")
        return f"{'>=' if self.at_least else '<='} {shown}"


@dataclass(frozen=True)
class Row:
    """A measured value of the product and of its reference."""

    measure: str
    unit: str
    product: float | None
    reference: float | None = None
    against: str = ""
    goals: tuple[Goal, ...] = ()

    @property
    def ratio(self) -> float | None:
        if self.product is None or not self.reference:
            return None
        return self.product / self.reference

    def verdict(self) -> str:
        """Return "yes", "NO", or "" without goals or values."""
        met = [goal.is_met(self) for goal in self.goals]
        if not met or None in met:
            return ""
        return "yes" if all(met) else "NO"

    def cells(self) -> list[str]:
        goals = ", ".join(goal.format(self.unit) for goal in self.goals)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}x"
        return [
            self.measure,
            _figure(self.product, self.unit),
            _figure(self.reference, self.unit),
            ratio,
            goals,
            self.verdict(),
            self.against,
        ]


HEADINGS = ["measure", "product", "reference", "ratio", "goal", "met", "reference is"]


def print_table(rows: list[Row]) -> None:
    """Print the rows as a Markdown table with aligned columns."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    for number, line in enumerate(lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
