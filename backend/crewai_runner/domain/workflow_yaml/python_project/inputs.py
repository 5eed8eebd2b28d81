"""The inputs with which code starts crews."""

import ast
from typing import Any

from crewai_runner.domain.workflow_yaml.python_project.constructions import iterate_scopes
from crewai_runner.domain.workflow_yaml.python_project.scopes import PythonProject, Scope
from crewai_runner.domain.workflow_yaml.python_project.source import NotData
from crewai_runner.domain.workflow_yaml.python_project.values import Evaluator

_STARTS = frozenset({"kickoff", "kickoff_async", "akickoff"})


def find_inputs(project: PythonProject) -> dict[str, Any]:
    """Return the values in `kickoff(inputs={...})` that are data and the same wherever they are given."""
    found: dict[str, list[Any]] = {}
    evaluator = Evaluator(project, lambda _key, _scope: None)
    for module in project.modules:
        for scope, call in iterate_scopes(module):
            is_start = isinstance(call.func, ast.Attribute) and call.func.attr in _STARTS
            for word in call.keywords if is_start else ():
                if word.arg == "inputs":
                    _collect(word.value, scope, evaluator, found)
    return {name: values[0] for name, values in found.items() if all(item == values[0] for item in values)}


def _collect(node: ast.expr, scope: Scope, evaluator: Evaluator, found: dict[str, list[Any]]) -> None:
    project = evaluator.project
    if isinstance(node, ast.Name):
        bound = project.lookup(node.id, scope, node.lineno)
        node, scope = (bound.value, bound.scope) if bound is not None else (node, scope)
    if not isinstance(node, ast.Dict):
        return
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            continue
        try:
            evaluated = evaluator.evaluate(value, scope)
        except NotData:
            continue
        is_data = not evaluator.notes
        evaluator.notes.clear()
        if is_data and evaluated is not None:
            found.setdefault(key.value, []).append(evaluated)
