"""The one table that a benchmark run prints."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Goal:
    """What to reach: a limit on the ratio to the reference, or on the product's own figure."""

    limit: float
    of: Literal["ratio", "figure"] = "ratio"
    at_least: bool = False

    def met(self, row: "Row") -> bool | None:
        """None when the figure is missing."""
        figure = row.ratio if self.of == "ratio" else row.product
        if figure is None:
            return None
        return figure >= self.limit if self.at_least else figure <= self.limit

    def words(self, unit: str) -> str:
        shown = f"{self.limit:g}" + ("x" if self.of == "ratio" else f" {unit}")
        return f"{'>=' if self.at_least else '<='} {shown}"


@dataclass(frozen=True)
class Row:
    """One figure of the product beside the same figure of a reference."""

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
        """yes, NO, or nothing without goals or figures."""
        met = [goal.met(self) for goal in self.goals]
        if not met or None in met:
            return ""
        return "yes" if all(met) else "NO"

    def cells(self) -> list[str]:
        goals = ", ".join(goal.words(self.unit) for goal in self.goals)
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
