"""The options of a command line that a file defines with argparse or click, as inputs of a run."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from crewai_runner.domain.field_types import INPUT_NAME
from crewai_runner.domain.project_inspection.literals import evaluate
from crewai_runner.domain.project_inspection.python_module import PythonModule, name_of
from crewai_runner.domain.workflow import InputDefinition, InputType
from crewai_runner.domain.workflow_yaml.python_project.source import NotData

COMMAND = "command"
"""The input that chooses a subcommand."""
PARSERS = frozenset({"argparse", "click"})
"""Packages whose command lines are given the inputs of a run."""
_ARGPARSE = "add_argument"
_CLICK = frozenset({"option", "argument"})
_TYPES = {"int": InputType.INTEGER, "float": InputType.NUMBER, "bool": InputType.BOOLEAN}
_FLAGS = {"store_true": False, "store_false": True}
_SKIPPED_ACTIONS = frozenset({"help", "version", "count", "append", "extend", "append_const"})


def list_options(module: PythonModule) -> list[InputDefinition]:
    """Return the options and arguments of a file's command line, and its subcommand.

    Options of subcommands are never required: another subcommand may be chosen.
    """
    if module.packages.isdisjoint(PARSERS):
        return []
    commands = list(dict.fromkeys(_list_subcommands(module)))
    found: dict[str, InputDefinition] = {}
    if commands:
        found[COMMAND] = InputDefinition(name=COMMAND, required=True, enum=[*commands][:100])
    for call in sorted(module.calls, key=lambda call: (call.lineno, call.col_offset)):
        definition = _read_option(call)
        if definition is not None:
            update = {"required": False} if commands else {}
            found.setdefault(definition.name, definition.model_copy(update=update))
    return list(found.values())


def _list_subcommands(module: PythonModule) -> Iterator[str]:
    for call in module.calls:
        if name_of(call.func) == "add_parser" and isinstance(name := _literal(call.args[:1]), str):
            yield name
    groups = {
        node.name
        for node in module.functions.values()
        if any(name_of(one) == "group" for one in node.decorator_list)
    }
    for node in module.functions.values():
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            is_own = isinstance(called, ast.Attribute) and getattr(called.value, "id", None) in groups
            if is_own and name_of(decorator) == "command":
                named = _literal(decorator.args[:1]) if isinstance(decorator, ast.Call) else None
                yield named if isinstance(named, str) else node.name.replace("_", "-")


def _read_option(call: ast.Call) -> InputDefinition | None:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else None
    is_click = function in _CLICK and getattr(getattr(call.func, "value", None), "id", None) == "click"
    names = [value for one in call.args if isinstance(value := _literal([one]), str)]
    if (function != _ARGPARSE and not is_click) or not names:
        return None
    words = {word.arg: word.value for word in call.keywords if word.arg}
    is_positional = not names[0].startswith("-")
    name = _find_name(names, _literal(_given(words, "dest")), is_click=is_click)
    action = _literal(_given(words, "action"))
    if action in _SKIPPED_ACTIONS or INPUT_NAME.fullmatch(name) is None:
        return None
    is_optional = _literal(_given(words, "nargs")) in {"?", "*"} or "default" in words
    default_required = is_positional and not is_optional
    is_required = bool(_literal(_given(words, "required"), default=default_required))
    return _define(name, words, action, is_required=is_required)


def _find_name(names: list[str], given: Any, *, is_click: bool) -> str:
    """Return the name that a parser stores an option under."""
    if isinstance(given, str):
        return given
    plain = next((name for name in names if not name.startswith("-")), None) if is_click else None
    long = next((name for name in names if name.startswith("--")), names[0])
    return (plain or long).partition("/")[0].lstrip("-").replace("-", "_")


def _define(
    name: str, words: Mapping[str, ast.expr], action: object, *, is_required: bool
) -> InputDefinition | None:
    given = words.get("type")
    kind = _TYPES.get(name_of(given) or "", InputType.STRING) if given is not None else InputType.STRING
    default = _literal(_given(words, "default"))
    is_flag = isinstance(action, str) and action in _FLAGS
    if is_flag or "is_flag" in words:
        kind, default = InputType.BOOLEAN, _FLAGS.get(str(action), bool(default))
    elif _literal(_given(words, "nargs")) not in {None, "?", 1} or "multiple" in words:
        kind = InputType.ARRAY
    choices = _literal(_given(words, "choices"))
    if isinstance(given, ast.Call) and name_of(given) == "Choice":
        choices = _literal(given.args[:1])
    enum = choices if isinstance(choices, list) and kind is not InputType.ARRAY else None
    try:
        return InputDefinition(
            name=name, type=kind, default=default, required=is_required and default is None, enum=enum
        )
    except ValidationError:
        return InputDefinition(name=name, type=kind, required=is_required)


def _given(words: Mapping[str, ast.expr], name: str) -> list[ast.expr]:
    return [words[name]] if name in words else []


def _literal(expressions: Iterable[ast.expr], *, default: Any = None) -> Any:
    """Return the value of the first expression; `default` if there is none or it is computed."""
    for expression in expressions:
        try:
            return evaluate(expression, {})
        except NotData:
            return default
    return default
