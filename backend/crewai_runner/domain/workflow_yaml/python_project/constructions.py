"""Finds the `Agent(...)`, `Task(...)` and `Crew(...)` that an expression stands for."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from crewai_runner.domain.workflow_yaml.python_project.containers import find_item
from crewai_runner.domain.workflow_yaml.python_project.scopes import (
    Bound,
    FunctionPlace,
    PythonProject,
    Scope,
)
from crewai_runner.domain.workflow_yaml.python_project.source import (
    Function,
    NotData,
    SourceModule,
    iterate_statements,
    list_decorators,
    list_returns,
    name_of,
)

AGENT, TASK, CREW = "Agent", "Task", "Crew"
_CLASSES = {AGENT: AGENT, TASK: TASK, CREW: CREW, "ConditionalTask": TASK, "LiteAgent": AGENT}


@dataclass(frozen=True)
class Construction:
    """A call that makes an agent, a task or a crew. Two ways to the same object have the same `identity`."""

    kind: str
    call: ast.Call
    scope: Scope
    name: str
    identity: tuple[tuple[str, int, int], ...]

    @property
    def file(self) -> str:
        return self.scope.module.path


def resolve(node: ast.expr, scope: Scope, project: PythonProject, depth: int = 0) -> Construction | None:  # noqa: PLR0911
    """Return the construction that an expression stands for, through names, functions and methods."""
    try:
        project.count_step(depth)
    except NotData:
        return None
    match node:
        case ast.Await(value=inner) | ast.NamedExpr(value=inner):
            return resolve(inner, scope, project, depth + 1)
        case ast.Name(id=name):
            return _resolve_bound(project.lookup(name, scope, node.lineno), name, project, depth)
        case ast.Attribute():
            return _resolve_attribute(node, scope, project, depth)
        case ast.Subscript():
            return _resolve_item(node, scope, project, depth)
        case ast.Call():
            return _resolve_call(node, scope, project, depth)
        case _:
            return None


def _resolve_attribute(
    node: ast.Attribute, scope: Scope, project: PythonProject, depth: int
) -> Construction | None:
    bound = project.resolve_attribute(node, scope)
    if bound is not None:
        return _resolve_bound(bound, node.attr, project, depth)
    place = project.find_function(node, scope)  # a property
    return _resolve_function(place, ast.Call(node, [], []), scope, project, depth) if place else None


def _resolve_item(
    node: ast.Subscript, scope: Scope, project: PythonProject, depth: int
) -> Construction | None:
    try:
        return _resolve_bound(find_item(node, scope, project, depth), "", project, depth)
    except NotData:
        return None


def _resolve_bound(bound: Bound | None, name: str, project: PythonProject, depth: int) -> Construction | None:
    if bound is None:
        return None
    found = resolve(bound.value, bound.scope, project, depth + 1)
    is_named = found is not None and (not found.name or len(found.identity) > 1)
    return replace(found, name=name) if name and found is not None and is_named else found


def _resolve_call(call: ast.Call, scope: Scope, project: PythonProject, depth: int) -> Construction | None:
    kind = get_kind(call, scope.module)
    if kind is not None:
        position = (scope.module.path, call.lineno, call.col_offset)
        return Construction(kind, call, scope, "", (position,))
    place = project.find_function(call.func, scope)
    return _resolve_function(place, call, scope, project, depth) if place is not None else None


def _resolve_function(
    place: FunctionPlace, call: ast.Call, scope: Scope, project: PythonProject, depth: int
) -> Construction | None:
    inner = project.enter(place, call, scope)
    for returned in reversed(list_returns(place.function)):
        found = resolve(returned, inner, project, depth + 1)
        if found is not None:
            named = replace(found, name=place.function.name)
            if not (call.args or call.keywords):
                return named
            position = (scope.module.path, call.lineno, call.col_offset)
            return replace(named, identity=(*named.identity, position))
    return None


def get_kind(call: ast.Call, module: SourceModule) -> str | None:
    """Return Agent, Task or Crew for a call of CrewAI's class, None for any other call."""
    name = name_of(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else None
    if name is None or name in module.functions or name in module.classes:
        return None
    source, original = module.imports.get(name, ("", name))
    is_foreign = bool(source) and not source.startswith("crewai")
    return None if is_foreign else _CLASSES.get(original or name)


@dataclass(frozen=True)
class Site:
    """A construction where it is written: with the function and the class around it."""

    construction: Construction
    function: Function | None
    owner: ast.ClassDef | None

    @property
    def label(self) -> str:
        """The name of the class, function or file around it."""
        if self.owner is not None:
            return self.owner.name
        if self.function is not None:
            return self.function.name
        return self.construction.scope.module.name


def list_sites(module: SourceModule, kind: str) -> list[Site]:
    """Return every construction of a kind in a module, in order."""
    sites: list[Site] = []
    if not any(source.startswith("crewai") for source, _ in module.imports.values()):
        return sites
    for scope, call, statement in _iterate_calls(module, module.tree.body, Scope(module)):
        if get_kind(call, module) == kind:
            position = (module.path, call.lineno, call.col_offset)
            name = _name_site(statement, scope.function)
            sites.append(
                Site(Construction(kind, call, scope, name, (position,)), scope.function, scope.owner)
            )
    return sites


def iterate_scopes(module: SourceModule) -> Iterator[tuple[Scope, ast.Call]]:
    """Yield every call of a module with the scope in which it is written."""
    for scope, call, _ in _iterate_calls(module, module.tree.body, Scope(module)):
        yield scope, call


def _iterate_calls(
    module: SourceModule, body: list[ast.stmt], scope: Scope
) -> Iterator[tuple[Scope, ast.Call, ast.stmt]]:
    for statement in iterate_statements(body):
        match statement:
            case ast.ClassDef(body=inner):
                yield from _iterate_calls(module, inner, Scope(module, statement))
            case ast.FunctionDef(body=inner) | ast.AsyncFunctionDef(body=inner):
                yield from _iterate_calls(module, inner, Scope(module, scope.owner, statement))
            case _:
                for call in _list_calls(statement):
                    yield scope, call, statement


def _name_site(statement: ast.stmt, function: Function | None) -> str:
    match statement:
        case ast.Assign(targets=[target, *_]):
            return name_of(target) or ""
        case ast.Return() if function is not None:
            return function.name
    return ""


def _list_calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """Yield the calls in a statement itself, not in the statements inside it."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop(0)
        if isinstance(node, ast.Call):
            yield node
        pending += [
            inner for inner in ast.iter_child_nodes(node)
            if not isinstance(inner, ast.stmt | ast.excepthandler)
        ]  # fmt: skip


def list_decorated(owner: ast.ClassDef, decorator: str) -> list[Function]:
    """Return the methods of a class with a decorator, in order."""
    functions = [item for item in owner.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [item for item in functions if decorator in list_decorators(item)]
