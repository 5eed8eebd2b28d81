"""Values that the code of a project writes down as literals. No code is executed."""

import ast
from collections.abc import Mapping
from typing import Any

from crewai_runner.domain.workflow_yaml.python_project.literals import evaluate_literal
from crewai_runner.domain.workflow_yaml.python_project.source import NotData

MAX_NODES = 2_000
MAX_DEPTH = 50
"""Levels of nesting, through names too: a name may refer to itself."""


def evaluate(node: ast.expr, names: Mapping[str, ast.expr]) -> Any:
    """Return the JSON data that an expression is. `names` are the expressions assigned to names.

    Raises NotData.
    """
    return _Evaluator(names).evaluate(node)


def list_assignments(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Return the expressions that statements assign to a name or to an attribute of `self`."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                found[name] = value
    return found


class _Evaluator:
    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self._names = names
        self._nodes_left, self._depth = MAX_NODES, 0

    def evaluate(self, node: ast.expr) -> Any:
        """Count a node. Names may refer to each other: a few lines may stand for any number of values."""
        self._nodes_left, self._depth = self._nodes_left - 1, self._depth + 1
        if self._nodes_left < 0 or self._depth > MAX_DEPTH:
            raise NotData
        try:
            return self._evaluate(node)
        finally:
            self._depth -= 1

    def _evaluate(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name) if (
                name in self._names
            ):
                return self.evaluate(self._names[name])
        return evaluate_literal(node, self.evaluate)
