"""Python files as syntax trees, with the names that each of them defines."""

import ast
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

MAX_SOURCE_LENGTH = 200_000
Function = ast.FunctionDef | ast.AsyncFunctionDef
_PARSING = threading.Lock()


class NotData(ValueError):
    """An expression whose value is known only when the code runs."""


@dataclass(frozen=True)
class Binding:
    """An expression that is assigned to a name, or with `is_appended` added to the list of that name."""

    line: int
    value: ast.expr
    is_appended: bool = False
    is_conditional: bool = False


@dataclass(frozen=True, eq=False)
class SourceModule:
    """One file. `imports` maps a name to the module and the name it was imported as there."""

    path: str
    tree: ast.Module
    imports: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def bindings(self) -> Mapping[str, list[Binding]]:
        return list_bindings(self.tree.body)

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        found = iterate_statements(self.tree.body)
        return {item.name: item for item in found if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}

    @cached_property
    def classes(self) -> Mapping[str, ast.ClassDef]:
        found = iterate_statements(self.tree.body)
        return {item.name: item for item in found if isinstance(item, ast.ClassDef)}

    @property
    def name(self) -> str:
        file = PurePosixPath(self.path)
        return file.parent.name if file.stem == "__init__" else file.stem


def parse_source(text: str) -> ast.Module:
    """Parse Python source. Raises NotData when it is too long, nested too deeply or has a syntax error."""
    if len(text) > MAX_SOURCE_LENGTH:
        raise NotData(f"The file is longer than {MAX_SOURCE_LENGTH:,} characters.")
    try:
        with _PARSING, warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotData("The file is not valid Python of this version.") from None


def read_module(path: str, text: str) -> SourceModule:
    """Parse a file. Raises NotData."""
    tree = parse_source(text)
    imports: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                imports[alias.asname or alias.name] = (node.module or "", alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                imports[alias.asname or alias.name.partition(".")[0]] = (alias.name, "")
    return SourceModule(path, tree, imports)


def iterate_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements in order, also those inside `if`, `try`, `with` and loops; not inside definitions."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for name in ("body", "orelse", "handlers", "finalbody", "cases"):
            for inner in getattr(statement, name, ()):
                is_clause = isinstance(inner, ast.excepthandler | ast.match_case)
                yield from iterate_statements(inner.body if is_clause else [inner])


def list_bindings(body: list[ast.stmt]) -> dict[str, list[Binding]]:
    """Return what statements assign to names, and to attributes of `self` as `self.name`, in order."""
    found: dict[str, list[Binding]] = {}
    certain = set(body)
    for statement in iterate_statements(body):
        is_conditional = statement not in certain
        for target, value, is_appended in _list_assigned(statement):
            name = name_target(target)
            if name is not None:
                binding = Binding(statement.lineno, value, is_appended, is_conditional)
                found.setdefault(name, []).append(binding)
    return found


def _list_assigned(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """Yield target and value of what a statement assigns, and whether it appends to a list."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target, ast.Tuple | ast.List):
                    yield from _unpack(target.elts, value)
                else:
                    yield target, value, False
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value, False
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=target, attr="append"), args=[ast.expr() as value])
        ):
            yield target, value, True


def _unpack(targets: list[ast.expr], value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    for number, target in enumerate(targets):
        item = ast.Subscript(value, ast.Constant(number))
        item.lineno, item.col_offset = value.lineno, value.col_offset
        yield target, item, False


def name_target(node: ast.expr) -> str | None:
    """Return `name` or `self.name` of an expression that is such a reference."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return f"self.{name}"
    return None


def name_of(node: ast.expr) -> str | None:
    """Return the last name of a reference, of the function of a call or of a generic type."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return name_of(inner)
    return None


def list_decorators(node: Function | ast.ClassDef) -> list[str]:
    return [name for name in map(name_of, node.decorator_list) if name is not None]


def list_returns(function: Function) -> list[ast.expr]:
    """Return the expressions that a function returns, in order."""
    statements = iterate_statements(function.body)
    return [item.value for item in statements if isinstance(item, ast.Return) and item.value is not None]
