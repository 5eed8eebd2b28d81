"""What names mean at a place in a project's code: assignments, parameters, attributes and imports."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crewai_runner.domain.workflow_yaml.python_project.source import (
    Binding,
    Function,
    NotData,
    SourceModule,
    list_bindings,
    name_of,
)

MAX_STEPS = 100_000
"""Names, calls and values that are followed in one project: a few lines may stand for any number."""
MAX_DEPTH = 50


@dataclass(frozen=True, eq=False)
class Scope:
    """A place in the code: a module, a class in it, or a function with the arguments it is called with."""

    module: SourceModule
    owner: ast.ClassDef | None = None
    function: Function | None = None
    arguments: Mapping[str, "Bound"] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """An expression and the scope in which it is written; `appended` are items added to a list."""

    value: ast.expr
    scope: Scope
    appended: tuple[ast.expr, ...] = ()
    is_choice: bool = False
    """Whether a condition decides between this and other assignments."""


@dataclass(frozen=True)
class FunctionPlace:
    """A function or method of the project."""

    function: Function
    module: SourceModule
    owner: ast.ClassDef | None = None


class PythonProject:
    """The modules of a project. Following names is bounded: NotData is raised when it takes too long."""

    def __init__(self, modules: Iterable[SourceModule]) -> None:
        self.modules = list(modules)
        self._by_name: dict[str, list[SourceModule]] = defaultdict(list)
        self._methods: dict[str, list[FunctionPlace]] = defaultdict(list)
        self._locals: dict[Function, dict[str, list[Binding]]] = {}
        self._steps_left = MAX_STEPS
        for module in self.modules:
            self._by_name[module.name].append(module)
            for owner in module.classes.values():
                for item in owner.body:
                    if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                        self._methods[item.name].append(FunctionPlace(item, module, owner))

    def count_step(self, depth: int) -> None:
        """Count one step. Raises NotData when there were too many, or when they are nested too deeply."""
        self._steps_left -= 1
        if self._steps_left < 0 or depth > MAX_DEPTH:
            raise NotData

    def lookup(self, name: str, scope: Scope, line: int) -> Bound | None:
        """Return the expression that a name stands for on a line of a scope; None if it is not known."""
        if scope.function is not None:
            local = self._local_bindings(scope.function).get(name)
            if local:
                return _choose(local, scope, line)
            if name in scope.arguments:
                return scope.arguments[name]
            default = _find_default(scope.function, name)
            if default is not None or _has_parameter(scope.function, name):
                return Bound(default, Scope(scope.module)) if default is not None else None
        if name in scope.module.bindings:
            last = line if scope.function is None and scope.owner is None else 10**9
            return _choose(scope.module.bindings[name], Scope(scope.module), last)
        return self._lookup_import(name, scope.module)

    def lookup_attribute(self, name: str, module: SourceModule, owner: ast.ClassDef) -> Bound | None:
        """Return the expression assigned to `self.name` or in the class body."""
        functions = [item for item in owner.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
        for function in sorted(functions, key=lambda item: item.name != "__init__"):
            found = self._local_bindings(function).get(f"self.{name}")
            if found:
                return _choose(found, Scope(module, owner, function), 10**9)
        found = list_bindings(owner.body).get(name)
        if found:
            return _choose(found, Scope(module, owner), 10**9)
        for base in owner.bases:
            place = self.find_class(base, module)
            if place is not None and place[1] is not owner:
                return self.lookup_attribute(name, *place)
        return None

    def find_class(self, node: ast.expr, module: SourceModule) -> tuple[SourceModule, ast.ClassDef] | None:
        """Return the class of the project that a name refers to."""
        name = name_of(node)
        if name is None:
            return None
        if name in module.classes:
            return module, module.classes[name]
        source, original = module.imports.get(name, ("", name))
        for other in self._by_name.get(source.rpartition(".")[2], []):
            if original in other.classes:
                return other, other.classes[original]
        found = [other for other in self.modules if original in other.classes]
        return (found[0], found[0].classes[original]) if len(found) == 1 else None

    def find_function(self, node: ast.expr, scope: Scope) -> FunctionPlace | None:
        """Return the function or method of the project that the callee of a call is."""
        if isinstance(node, ast.Name):
            return self._find_function(node.id, scope.module)
        if not isinstance(node, ast.Attribute):
            return None
        place = self.find_object(node.value, scope)
        if place is not None:
            return self._find_method(node.attr, *place)
        if isinstance(node.value, ast.Name) and node.value.id in scope.module.imports:
            for other in self._find_modules(node.value.id, scope.module):
                if node.attr in other.functions:
                    return FunctionPlace(other.functions[node.attr], other)
        found = self._methods.get(node.attr, [])
        return found[0] if len(found) == 1 and not self._is_foreign(node.value, scope.module) else None

    def find_object(self, node: ast.expr, scope: Scope) -> tuple[SourceModule, ast.ClassDef] | None:
        """Return the class of the object that an expression is: `self`, a class, or what was made of one."""
        if isinstance(node, ast.Name) and node.id in ("self", "cls"):
            return (scope.module, scope.owner) if scope.owner is not None else None
        if isinstance(node, ast.Call):
            return self.find_class(node.func, scope.module)
        if isinstance(node, ast.Name):
            bound = self.lookup(node.id, scope, node.lineno)
            if bound is not None and isinstance(bound.value, ast.Call):
                return self.find_class(bound.value.func, bound.scope.module)
            return self.find_class(node, scope.module) if bound is None else None
        if isinstance(node, ast.Attribute):
            bound = self.resolve_attribute(node, scope)
            if bound is not None and isinstance(bound.value, ast.Call):
                return self.find_class(bound.value.func, bound.scope.module)
        return None

    def resolve_attribute(self, node: ast.Attribute, scope: Scope) -> Bound | None:
        """Return the expression that `self.name`, `object.name` or `module.name` stands for."""
        if isinstance(node.value, ast.Name) and node.value.id == "self" and scope.function is not None:
            local = self._local_bindings(scope.function).get(f"self.{node.attr}")
            if local:
                return _choose(local, scope, node.lineno)
        if isinstance(node.value, ast.Attribute):
            return None  # the class of an attribute of an attribute is not followed
        place = self.find_object(node.value, scope)
        if place is not None:
            return self.lookup_attribute(node.attr, *place)
        if isinstance(node.value, ast.Name):
            for other in self._find_modules(node.value.id, scope.module):
                if node.attr in other.bindings:
                    return _choose(other.bindings[node.attr], Scope(other), 10**9)
        return None

    def enter(self, place: FunctionPlace, call: ast.Call, scope: Scope) -> Scope:
        """Return the scope of a function that is called with the arguments of a call."""
        parameters = place.function.args
        names = [item.arg for item in (*parameters.posonlyargs, *parameters.args)]
        if place.owner is not None and names[:1] in (["self"], ["cls"]):
            names = names[1:]
        given = dict(zip(names, call.args, strict=False))
        given |= {word.arg: word.value for word in call.keywords if word.arg is not None}
        arguments = {name: Bound(value, scope) for name, value in given.items()}
        return Scope(place.module, place.owner, place.function, arguments)

    def _find_function(self, name: str, module: SourceModule) -> FunctionPlace | None:
        if name in module.functions:
            return FunctionPlace(module.functions[name], module)
        source, original = module.imports.get(name, ("", ""))
        if not original:
            return None
        for other in self._by_name.get(source.rpartition(".")[2], []):
            if original in other.functions:
                return FunctionPlace(other.functions[original], other)
        found = [other for other in self.modules if original in other.functions]
        is_ours = bool(found) and not source.startswith("crewai")
        return FunctionPlace(found[0].functions[original], found[0]) if is_ours and len(found) == 1 else None

    def _find_method(self, name: str, module: SourceModule, owner: ast.ClassDef) -> FunctionPlace | None:
        for item in owner.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == name:
                return FunctionPlace(item, module, owner)
        for base in owner.bases:
            place = self.find_class(base, module)
            if place is not None and place[1] is not owner:
                return self._find_method(name, *place)
        return None

    def _find_modules(self, name: str, module: SourceModule) -> list[SourceModule]:
        source, original = module.imports.get(name, (name, ""))
        return self._by_name.get(original or source.rpartition(".")[2], [])

    def _is_foreign(self, node: ast.expr, module: SourceModule) -> bool:
        return (
            isinstance(node, ast.Name)
            and node.id in module.imports
            and not self._find_modules(node.id, module)
        )

    def _lookup_import(self, name: str, module: SourceModule) -> Bound | None:
        source, original = module.imports.get(name, ("", ""))
        if not original:
            return None
        candidates = self._by_name.get(source.rpartition(".")[2], [])
        for other in candidates:
            if other is not module and original in other.bindings:
                return _choose(other.bindings[original], Scope(other), 10**9)
        return None

    def _local_bindings(self, function: Function) -> dict[str, list[Binding]]:
        if function not in self._locals:
            self._locals[function] = list_bindings(function.body)
        return self._locals[function]


def _choose(bindings: list[Binding], scope: Scope, line: int) -> Bound | None:
    """Return the last assignment before a line, with what was appended since; else the last one of all."""
    assigned = [item for item in bindings if not item.is_appended]
    if not assigned:
        return None
    chosen = next((item for item in reversed(assigned) if item.line < line), assigned[-1])
    appended = [item.value for item in bindings if item.is_appended and chosen.line < item.line <= line]
    is_choice = len(assigned) > 1 and chosen.is_conditional
    return Bound(chosen.value, scope, tuple(appended), is_choice)


def _has_parameter(function: Function, name: str) -> bool:
    found = function.args
    return any(item.arg == name for item in (*found.posonlyargs, *found.args, *found.kwonlyargs))


def _find_default(function: Function, name: str) -> ast.expr | None:
    found = function.args
    positional = [*found.posonlyargs, *found.args]
    for item, default in zip(reversed(positional), reversed(found.defaults), strict=False):
        if item.arg == name:
            return default
    for item, optional in zip(found.kwonlyargs, found.kw_defaults, strict=True):
        if item.arg == name:
            return optional
    return None
