"""The result table: its rows and goals are described in ``rows.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROWS = Path(__file__).with_name("rows.toml")
SETUPS = {
    "in-process": "in process",
    "two-hosts": "2 crew hosts",
    "postgresql": "PostgreSQL, api + 2 workers",
}
Figures = dict[str, float]
"""Measured values by row key, each in the unit of its row."""


@dataclass(frozen=True)
class Goal:
    """Limits for the ratio to the reference and for the product's own value; None: no limit."""

    max_ratio: float | None = None
    min_ratio: float | None = None
    max: float | None = None
    min: float | None = None

    def is_met(self, figure: float | None, reference: float | None) -> bool | None:
        """Compare both values with the limits; None when a value that the goal needs is missing."""
        ratio = figure / reference if figure is not None and reference else None
        uppers = [(ratio, self.max_ratio), (figure, self.max)]
        lowers = [(ratio, self.min_ratio), (figure, self.min)]
        checks = [None if value is None else value <= limit for value, limit in uppers if limit is not None]
        checks += [None if value is None else value >= limit for value, limit in lowers if limit is not None]
        return None if None in checks else all(checks)

    def format(self, unit: str) -> str:
        limits = [
            ("<=", self.max_ratio, "x"),
            (">=", self.min_ratio, "x"),
            ("<=", self.max, f" {unit}"),
            (">=", self.min, f" {unit}"),
        ]
        return ", ".join(
            f"{sign} {limit:g}{suffix}".rstrip() for sign, limit, suffix in limits if limit is not None
        )


@dataclass(frozen=True)
class RowType:
    """A row of the table. ``goals`` by setup; ``against`` says what the reference is."""

    key: str
    measure: str
    unit: str
    against: str
    goals: Mapping[str, Goal]


def read_row_types(path: Path = ROWS) -> dict[str, RowType]:
    """Read the rows in the order of the file. A goal without a setup applies to every setup."""
    content = tomllib.loads(path.read_text())
    return {
        key: RowType(key, row["measure"], row.get("unit", ""), row.get("against", ""), _goals(row))
        for key, row in content.items()
    }


def _goals(row: dict[str, Any]) -> dict[str, Goal]:
    given = row.get("goal", {})
    if not given.keys() & SETUPS.keys():
        given = dict.fromkeys(SETUPS, given) if given else {}
    return {setup: Goal(**limits) for setup, limits in given.items()}


@dataclass(frozen=True)
class Row:
    """The measured values of one row: the product's by setup, and the reference's."""

    type: RowType
    product: Mapping[str, float]
    reference: float | None = None

    def ratio(self, setup: str) -> float | None:
        figure = self.product.get(setup)
        return figure / self.reference if figure is not None and self.reference else None

    def verdict(self, setup: str) -> str:
        """Return "met", "MISSED", or "" without a goal or a value."""
        goal = self.type.goals.get(setup)
        met = goal.is_met(self.product.get(setup), self.reference) if goal else None
        return "" if met is None else "met" if met else "MISSED"

    def missed(self) -> list[str]:
        """Return the setups whose goal is missed."""
        return [setup for setup in self.product if self.verdict(setup) == "MISSED"]


def join_rows(reference: Figures, product: Mapping[str, Figures]) -> list[Row]:
    """Combine the figures of all setups. Raises ``KeyError`` for a figure that is not in ``rows.toml``."""
    types = read_row_types()
    unknown = (reference.keys() | {key for figures in product.values() for key in figures}) - types.keys()
    if unknown:
        raise KeyError(f"rows.toml does not describe {sorted(unknown)}")
    rows = [
        Row(
            row_type,
            {setup: figures[key] for setup, figures in product.items() if key in figures},
            reference.get(key),
        )
        for key, row_type in types.items()
    ]
    return [row for row in rows if row.product or row.reference is not None]


def print_table(rows: list[Row], setups: list[str]) -> None:
    """Print the rows as a Markdown table with aligned columns."""
    headings = ["measure", "reference"]
    for setup in setups:
        headings += [SETUPS[setup], "ratio", "goal", ""]
    lines = [[*headings, "reference is"], *(_cells(row, setups) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for number, line in enumerate(lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def _cells(row: Row, setups: list[str]) -> list[str]:
    cells = [row.type.measure, _figure(row.reference, row.type.unit)]
    for setup in setups:
        ratio, goal = row.ratio(setup), row.type.goals.get(setup)
        cells += [
            _figure(row.product.get(setup), row.type.unit),
            "" if ratio is None else f"{ratio:.2f}x",
            goal.format(row.type.unit) if goal else "",
            row.verdict(setup),
        ]
    return [*cells, row.type.against]


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()
