"""Values that Python source code writes down. No code is executed."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.workflow_yaml.python_project.literals import evaluate_literal
from crewai_runner.domain.workflow_yaml.python_project.scopes import Bound, PythonProject, Scope
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, list_returns, name_of

_MODEL_KEYS = ("model", "model_name", "model_id")
_MODEL_CLASSES = frozenset(
    {"LLM", "ChatOpenAI", "OpenAI", "ChatGroq", "ChatAnthropic", "Ollama", "ChatOllama"}
)
_CODE = {"python": "code"}
_TRIM: Mapping[str, Callable[[str], str]] = {
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "lower": str.lower,
    "upper": str.upper,
}
_DEDENT: Mapping[str, Callable[[str], str]] = {"dedent": textwrap.dedent, "cleandoc": inspect.cleandoc}
_ENVIRONMENT = frozenset({"getenv", "environ.get", "os.getenv", "os.environ.get"})
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]+")
MAX_NAME = 40
MAX_TEXT = 200_000


@dataclass(frozen=True)
class Note:
    """A value that was taken over in another form than it is written."""

    reason: str
    file: str
    line: int


ConfigReader = Callable[[str, Scope], Mapping[str, Any] | None]
"""Returns the mapping of a name in the nearest YAML file."""


@dataclass
class Evaluator:
    """Evaluates expressions to JSON data. `notes` collects what was replaced by an input or a default."""

    project: PythonProject
    find_config: ConfigReader
    notes: list[Note] = field(default_factory=list)
    _depth: int = 0

    def evaluate(self, node: ast.expr, scope: Scope) -> Any:
        """Return the value of an expression. Raises NotData.

        A call with `model=` is the mapping of its arguments, as in `LLM(model="gpt-4o", temperature=0)`;
        `Process.hierarchical` is `"hierarchical"`; what an f-string cannot fill becomes a placeholder.
        """
        self._depth += 1
        try:
            self.project.count_step(self._depth)
            return self._evaluate(node, scope)
        finally:
            self._depth -= 1

    def _evaluate(self, node: ast.expr, scope: Scope) -> Any:
        match node:
            case ast.JoinedStr(values=parts):
                return "".join(self._evaluate_part(part, scope) for part in parts)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._add(self.evaluate(left, scope), self.evaluate(right, scope))
            case ast.Call():
                return self._evaluate_call(node, scope)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._evaluate_reference(node, scope)
        return evaluate_literal(node, lambda item: self.evaluate(item, scope))

    def _add(self, left: Any, right: Any) -> Any:
        if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) < MAX_TEXT:
            return left + right
        if isinstance(left, list) and isinstance(right, list) and len(left) + len(right) < MAX_TEXT:
            return left + right
        raise NotData

    def _evaluate_part(self, part: ast.expr, scope: Scope) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        expression = part.value if isinstance(part, ast.FormattedValue) else part
        try:
            value = self.evaluate(expression, scope)
            if isinstance(value, str | int | float) and len(str(value)) < MAX_TEXT:
                return str(value)
        except NotData:
            pass
        name = name_input(expression)
        reason = f"Python code computes a part of the text: it became the input `{name}`."
        self.notes.append(Note(reason, scope.module.path, expression.lineno))
        return f"{{{name}}}"

    def _evaluate_reference(self, node: ast.expr, scope: Scope) -> Any:
        match node:
            case ast.Attribute(value=ast.Name(id="Process"), attr=name):
                return name
            case ast.Subscript():
                return self._evaluate_item(node, scope)
            case ast.Name(id=name):
                bound = self.project.lookup(name, scope, node.lineno)
            case ast.Attribute():
                bound = self.project.resolve_attribute(node, scope)
            case _:
                raise NotData
        if bound is None:
            raise NotData
        return self.evaluate_bound(bound)

    def evaluate_bound(self, bound: Bound) -> Any:
        value = self.evaluate(bound.value, bound.scope)
        if bound.is_choice:
            line = bound.value.lineno
            reason = f"A condition decides between several values: the one in line {line} was taken."
            self.notes.append(Note(reason, bound.scope.module.path, line))
        if not bound.appended:
            return value
        if not isinstance(value, list):
            raise NotData
        return [*value, *(self.evaluate(item, bound.scope) for item in bound.appended)]

    def _evaluate_item(self, node: ast.Subscript, scope: Scope) -> Any:
        """Evaluate `agents_config["writer"]` and what follows it in brackets."""
        try:
            return self.evaluate(node.value, scope)[self.evaluate(node.slice, scope)]
        except (NotData, KeyError, IndexError, TypeError):
            pass
        key = self.evaluate(node.slice, scope)
        body = self.find_config(key, scope) if isinstance(key, str) else None
        if body is None or not isinstance(node.value, ast.Name | ast.Attribute):
            raise NotData
        return body

    def _evaluate_call(self, call: ast.Call, scope: Scope) -> Any:
        called = ast.unparse(call.func) if len(call.args) + len(call.keywords) <= MAX_NAME else ""
        name = name_of(call.func) or ""
        if name in _DEDENT and len(call.args) == 1:
            return _DEDENT[name](self._evaluate_text(call.args[0], scope))
        if name in _TRIM and isinstance(call.func, ast.Attribute) and not call.args:
            return _TRIM[name](self._evaluate_text(call.func.value, scope))
        if called in _ENVIRONMENT:
            return self._evaluate_environment(call, scope)
        if any(word.arg in _MODEL_KEYS for word in call.keywords) or (name in _MODEL_CLASSES and call.args):
            return self._evaluate_model(call, scope)
        place = self.project.find_function(call.func, scope)
        returned = list_returns(place.function) if place is not None else []
        if place is None or len(returned) != 1:
            raise NotData
        return self.evaluate(returned[0], self.project.enter(place, call, scope))

    def _evaluate_text(self, node: ast.expr, scope: Scope) -> str:
        value = self.evaluate(node, scope)
        if not isinstance(value, str):
            raise NotData
        return value

    def _evaluate_environment(self, call: ast.Call, scope: Scope) -> Any:
        default = call.args[1] if len(call.args) > 1 else None
        default = next((word.value for word in call.keywords if word.arg == "default"), default)
        if default is None or not call.args:
            raise NotData
        name, value = self.evaluate(call.args[0], scope), self.evaluate(default, scope)
        reason = f"The environment variable `{name}` is not read: the default in the code was taken."
        self.notes.append(Note(reason, scope.module.path, call.lineno))
        return value

    def _evaluate_model(self, call: ast.Call, scope: Scope) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        if call.args:
            settings["model"] = self._evaluate_text(call.args[0], scope)
        for word in call.keywords:
            name = "model" if word.arg in _MODEL_KEYS else word.arg or "**"
            try:
                settings[name] = self.evaluate(word.value, scope)
            except NotData:
                if name == "model":
                    raise
                settings[name] = _CODE  # not a valid value of any setting: reported by its key
        return settings


def name_input(node: ast.expr) -> str:
    """Return a name for the input that takes the place of an expression."""
    text = name_target_text(node)
    name = _NOT_A_NAME.sub("_", text).strip("_")[:MAX_NAME].strip("_")
    return name if name and not name[0].isdigit() else f"value_{name}".rstrip("_")


def name_target_text(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
        case ast.Call(args=[ast.Constant(value=str() as name), *_]):
            return name
    names = [item.id for item in ast.walk(node) if isinstance(item, ast.Name)]
    return "_".join(dict.fromkeys(names[:3]))
