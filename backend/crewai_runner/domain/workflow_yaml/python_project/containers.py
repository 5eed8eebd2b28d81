"""The items of lists and mappings that code writes down, through names, functions and unpacking."""

import ast

from crewai_runner.domain.workflow_yaml.python_project.scopes import Bound, PythonProject, Scope
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, list_returns, name_of

MAX_ITEMS = 500


def list_items(node: ast.expr, scope: Scope, project: PythonProject, depth: int = 0) -> list[Bound]:
    """Return the items of a list. Raises NotData if only running the code shows them, or too many."""
    project.count_step(depth)
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            found = [bound for item in items for bound in _list_item(item, scope, project, depth)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            found = [
                *list_items(left, scope, project, depth + 1),
                *list_items(right, scope, project, depth + 1),
            ]
        case ast.Call(func=ast.Attribute(value=inner, attr="values"), args=[]):
            found = list(list_values(inner, scope, project, depth + 1).values())
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[inner]):
            found = list_items(inner, scope, project, depth + 1)
        case _:
            bound = _follow(node, scope, project)
            found = list_items(bound.value, bound.scope, project, depth + 1)
            found += [Bound(item, bound.scope) for item in bound.appended]
    if len(found) > MAX_ITEMS:
        raise NotData
    return found


def _list_item(item: ast.expr, scope: Scope, project: PythonProject, depth: int) -> list[Bound]:
    if isinstance(item, ast.Starred):
        return list_items(item.value, scope, project, depth + 1)
    return [Bound(item, scope)]


def list_values(node: ast.expr, scope: Scope, project: PythonProject, depth: int = 0) -> dict[str, Bound]:
    """Return the values of a mapping by key. Raises NotData."""
    project.count_step(depth)
    if not isinstance(node, ast.Dict):
        bound = _follow(node, scope, project)
        return list_values(bound.value, bound.scope, project, depth + 1)
    found: dict[str, Bound] = {}
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            raise NotData
        found[key.value] = Bound(value, scope)
    return found


def find_item(node: ast.Subscript, scope: Scope, project: PythonProject, depth: int = 0) -> Bound:
    """Return the item that `items[0]` or `items["name"]` is. Raises NotData."""
    if not isinstance(node.slice, ast.Constant):
        raise NotData
    key = node.slice.value
    if isinstance(key, str):
        values = list_values(node.value, scope, project, depth + 1)
        if key in values:
            return values[key]
    elif isinstance(key, int):
        items = list_items(node.value, scope, project, depth + 1)
        if -len(items) <= key < len(items):
            return items[key]
    raise NotData


def _follow(node: ast.expr, scope: Scope, project: PythonProject) -> Bound:
    """Return what a name, an attribute or the call of a function of the project stands for."""
    bound: Bound | None = None
    if isinstance(node, ast.Name):
        bound = project.lookup(node.id, scope, node.lineno)
    elif isinstance(node, ast.Attribute):
        bound = project.resolve_attribute(node, scope)
    elif isinstance(node, ast.Call) and name_of(node.func) is not None:
        place = project.find_function(node.func, scope)
        returned = list_returns(place.function) if place is not None else []
        if place is not None and len(returned) == 1:
            bound = Bound(returned[0], project.enter(place, node, scope))
    if bound is None:
        raise NotData
    return bound
