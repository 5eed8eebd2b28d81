"""Functions and methods that make or start a crew, and the values that they are called with."""

import ast
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from crewai_runner.domain.field_types import INPUT_NAME
from crewai_runner.domain.project_inspection.literals import evaluate
from crewai_runner.domain.project_inspection.python_module import (
    Function,
    PythonModule,
    is_kickoff,
    name_of,
)
from crewai_runner.domain.workflow import InputDefinition, InputType
from crewai_runner.domain.workflow_yaml.python_project.source import NotData

_TYPES = {
    "str": InputType.STRING,
    "int": InputType.INTEGER,
    "float": InputType.NUMBER,
    "bool": InputType.BOOLEAN,
    "list": InputType.ARRAY,
    "List": InputType.ARRAY,
    "dict": InputType.OBJECT,
    "Dict": InputType.OBJECT,
    "Any": InputType.ANY,
}
_VALUE_TYPES: tuple[tuple[type, InputType], ...] = (
    (bool, InputType.BOOLEAN),
    (int, InputType.INTEGER),
    (float, InputType.NUMBER),
    (list, InputType.ARRAY),
    (dict, InputType.OBJECT),
    (str, InputType.STRING),
)
MAX_CALLABLES = 50
"""In one file."""
_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod"})
_TOOL_BASES = frozenset({"BaseTool", "StructuredTool", "Flow"})
_OBJECTS = ("agent", "agents", "task", "tasks", "crew", "llm", "tool", "tools", "callback", "session", "db")
"""Ends of the names of parameters that are no data, where they have no annotation."""


@dataclass(frozen=True)
class CrewCallable:
    """`name` is that of a function, or `Class.method`; `starts` says whether it starts the crew itself."""

    name: str
    starts: bool
    needs_values: bool


def list_crew_callables(module: PythonModule) -> list[CrewCallable]:
    """Return the functions and methods of a file that make or start a crew and take plain values only.

    Of many, the first ones: for each of them, the file is searched for its parameters.
    """
    return sorted(_find_callables(module), key=lambda one: not one.starts)


def _find_callables(module: PythonModule) -> Iterator[CrewCallable]:
    candidates = (
        (name, any(map(is_kickoff, ast.walk(function))))
        for name, function in _list_functions(module)
        if any(map(_makes_or_starts_crew, ast.walk(function)))
    )
    for name, starts in itertools.islice(candidates, MAX_CALLABLES):
        inputs = list_parameters(module, name)
        if inputs is not None:
            yield CrewCallable(name, starts, any(one.required for one in inputs))


def list_parameters(module: PythonModule, name: str) -> list[InputDefinition] | None:
    """Return the parameters of a function, a class or `Class.method` as inputs.

    None if there is none of this name, or if a required one is no plain value.
    """
    first, _, method = name.partition(".")
    inputs: dict[str, InputDefinition] = {}
    parts: list[tuple[Function | None, bool]] = [(module.functions.get(first), False)]
    kind = next((node for node in module.classes if node.name == first), None)
    if kind is not None:
        called = _find_method(kind, method) if method else None
        if method and called is None:
            return None
        parts = [(_find_method(kind, "__init__"), True), (called, not _is_static(called))]
    elif parts[0][0] is None:
        return None
    for function, has_self in parts:
        for definition in _read_parameters(function, has_self) if function is not None else ():
            if definition is None:
                return None
            inputs.setdefault(definition.name, definition)
    return list(inputs.values())


def _list_functions(module: PythonModule) -> Iterator[tuple[str, Function]]:
    """Yield the public functions and methods without decorators that change how they are called."""
    for name, function in module.functions.items():
        if not name.startswith("_") and not function.decorator_list:
            yield name, function
    crew_classes = frozenset(module.crew_classes)
    for kind in module.classes:
        is_other = kind.name in crew_classes or not _TOOL_BASES.isdisjoint(map(name_of, kind.bases))
        for node in [] if is_other else kind.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(node):
                yield f"{kind.name}.{node.name}", node


def _is_public(method: Function) -> bool:
    is_plain = _PLAIN_DECORATORS.issuperset(map(name_of, method.decorator_list))
    return is_plain and not method.name.startswith("_")


def _makes_or_starts_crew(node: ast.AST) -> bool:
    return is_kickoff(node) or (isinstance(node, ast.Call) and name_of(node.func) == "Crew")


def _find_method(kind: ast.ClassDef, name: str) -> Function | None:
    return next(
        (
            node
            for node in kind.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ),
        None,
    )


def _is_static(function: Function | None) -> bool:
    return function is not None and "staticmethod" in map(name_of, function.decorator_list)


def _read_parameters(function: Function, has_self: bool) -> Iterator[InputDefinition | None]:
    """Yield each parameter as an input; None for a required one that is no plain value."""
    given = function.args
    listed = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(listed) - len(given.defaults)) + list(given.defaults)
    pairs = [*zip(listed, defaults, strict=True)][has_self:]
    for parameter, default in [*pairs, *zip(given.kwonlyargs, given.kw_defaults, strict=True)]:
        definition = _define(parameter, default)
        if definition is not None or default is None:
            yield definition


def _define(parameter: ast.arg, default: ast.expr | None) -> InputDefinition | None:
    name, kind = parameter.arg, _find_type(parameter.annotation)
    is_object = parameter.annotation is None and name.rpartition("_")[2] in _OBJECTS
    if kind is None or is_object or INPUT_NAME.fullmatch(name) is None:
        return None
    if default is None:
        return InputDefinition(name=name, type=kind, required=True)
    try:
        value = evaluate(default, {})
        if parameter.annotation is None:
            kind = find_type_of(value)
        return InputDefinition(name=name, type=kind, default=value, required=False)
    except (NotData, ValidationError):
        return InputDefinition(name=name, type=kind, required=False)


def find_type_of(value: object) -> InputType:
    """Return the type of an input whose default is this value; `any` for None."""
    return next((kind for python, kind in _VALUE_TYPES if isinstance(value, python)), InputType.ANY)


def _find_type(annotation: ast.expr | None) -> InputType | None:
    """Return the type that an annotation names; None if it names a class. Without one, it may be any."""
    match annotation:
        case None:
            return InputType.ANY
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return _find_type(left)
        case ast.Subscript(value=outer, slice=inner) if name_of(outer) == "Optional":
            return _find_type(inner)
        case ast.Constant(value=str() as text):
            return _TYPES.get(text)
    return _TYPES.get(name_of(annotation) or "")
