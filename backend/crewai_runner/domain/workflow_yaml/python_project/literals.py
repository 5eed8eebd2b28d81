"""Literals of Python as JSON data. No code is executed."""

import ast
from collections.abc import Callable
from typing import Any

from crewai_runner.domain.workflow_yaml.python_project.source import NotData


def evaluate_literal(node: ast.expr, evaluate: Callable[[ast.expr], Any]) -> Any:
    """Return the data that a literal is; `evaluate` is called for the expressions in a list or mapping.

    Raises NotData for all that is not a text, number, boolean, None, list, tuple, set or mapping with texts
    as keys.
    """
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [evaluate(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            written = [evaluate(key) if key is not None else None for key in keys]
            if all(isinstance(key, str) for key in written):
                return dict(zip(written, map(evaluate, values), strict=True))
    raise NotData
