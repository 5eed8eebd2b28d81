"""Values that Python source code writes down, read from its syntax tree. No code is executed."""

import ast
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_SOURCE_LENGTH = 200_000
MAX_NODES = 2_000
MAX_DEPTH = 50
"""Levels of nesting, through names too: a name may refer to itself."""
_MODEL_KEYS = ("model", "model_name")
_CODE = {"python": "code"}


class NotData(ValueError):
    """An expression whose value is known only when the code runs."""


@dataclass(frozen=True)
class MethodCall:
    """A call such as `self.researcher()`, by the name of the method."""

    method: str


def parse_source(text: str) -> ast.Module:
    """Parse Python source. Raises NotData when it is too long, nested too deeply or has a syntax error."""
    if len(text) > MAX_SOURCE_LENGTH:
        raise NotData(f"The file is longer than {MAX_SOURCE_LENGTH:,} characters.")
    try:
        return ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotData("The file is not valid Python of this version.") from None


def evaluate(node: ast.expr, names: Mapping[str, ast.expr]) -> Any:
    """Return the value of an expression: JSON data, a MethodCall, or a list of these.

    `names` are the expressions assigned to names and to attributes of `self`. A call with `model=` is the
    mapping of its arguments, as in `LLM(model="gpt-4o", temperature=0)`; `Process.hierarchical` is
    `"hierarchical"`. Raises NotData.
    """
    return _Evaluator(names).evaluate(node)


def list_classes(node: ast.expr, names: Mapping[str, ast.expr]) -> list[str]:
    """Return the names of the classes or functions that a list of tools is made of. Raises NotData."""
    return _Evaluator(names).list_classes(node)


class _Evaluator:
    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self._names = names
        self._nodes_left, self._depth = MAX_NODES, 0

    def evaluate(self, node: ast.expr) -> Any:
        with self._nested():
            return self._evaluate(node)

    def _evaluate(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=str() | int() | float() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return -value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.evaluate(item) for item in items]
            case ast.Dict(keys=keys, values=values):
                written = [self.evaluate(key) if key is not None else None for key in keys]
                if not all(isinstance(key, str) for key in written):
                    raise NotData
                return dict(zip(written, map(self.evaluate, values), strict=True))
        return self._evaluate_reference(node)

    def _evaluate_reference(self, node: ast.expr) -> Any:
        match node:
            case ast.Attribute(value=ast.Name(id="Process"), attr=name):
                return name
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name) if (
                name in self._names
            ):
                return self.evaluate(self._names[name])
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name), args=[], keywords=[]):
                return MethodCall(name)
            case ast.Call(keywords=keywords) if any(word.arg in _MODEL_KEYS for word in keywords):
                return self._evaluate_model(keywords)
        raise NotData

    def _evaluate_model(self, keywords: list[ast.keyword]) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        for word in keywords:
            name = "model" if word.arg in _MODEL_KEYS else word.arg or "**"
            try:
                settings[name] = self.evaluate(word.value)
            except NotData:
                if name == "model":
                    raise
                settings[name] = _CODE  # not a valid value of any setting: reported by its key
        return settings

    def list_classes(self, node: ast.expr) -> list[str]:
        with self._nested():
            return self._list_classes(node)

    def _list_classes(self, node: ast.expr) -> list[str]:
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [name for item in items for name in self.list_classes(item)]
            case ast.Name(id=name) | ast.Attribute(attr=name) if name in self._names:
                return self.list_classes(self._names[name])
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                return [name]
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str() as name):
                return [name]
        raise NotData

    @contextlib.contextmanager
    def _nested(self) -> Iterator[None]:
        """Count a node. Names may refer to each other: a few lines may stand for any number of values."""
        self._nodes_left, self._depth = self._nodes_left - 1, self._depth + 1
        if self._nodes_left < 0 or self._depth > MAX_DEPTH:
            raise NotData
        try:
            yield
        finally:
            self._depth -= 1


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
