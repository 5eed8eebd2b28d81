"""Gives the run's inputs to a project that reads its command line with argparse or click.

Options and arguments are found by their names; a subcommand is the input `command`, or the name that
argparse stores it under.
"""

import functools
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from .kickoff_patches import passed_names

COMMAND = "command"
_FLAGS = ("_StoreTrueAction", "_StoreFalseAction", "BooleanOptionalAction", "_StoreConstAction")


class CommandLine:
    """The program whose command line has no arguments, and the inputs that take their place."""

    program: str | None = None
    inputs: Mapping[str, Any] = {}

    def start(self, program: str, inputs: Mapping[str, Any]) -> None:
        """Set the command line of this process."""
        sys.argv = [program]
        self.program, self.inputs = program, inputs

    @property
    def is_empty(self) -> bool:
        """Whether the command line has no arguments of its own."""
        return self.program is not None and sys.argv == [self.program]


command_line = CommandLine()


def patch_argparse(module: ModuleType) -> None:
    original = module.ArgumentParser.parse_known_args

    @functools.wraps(original)
    def parse_known_args(self: Any, args: Any = None, namespace: Any = None) -> Any:
        if args is None and command_line.is_empty:
            args = list(_list_for_argparse(self, command_line.inputs))
        return original(self, args, namespace)

    module.ArgumentParser.parse_known_args = parse_known_args


def patch_click(module: ModuleType) -> None:
    command = getattr(module, "BaseCommand", module.Command)
    for kind in {command, module.Command}:
        original = vars(kind).get("main")
        if original is not None:
            kind.main = _wrap_main(original)


def _wrap_main(original: Any) -> Any:
    @functools.wraps(original)
    def main(self: Any, args: Any = None, *rest: Any, **named: Any) -> Any:
        if args is None and command_line.is_empty:
            args = list(_list_for_click(self, command_line.inputs))
        return original(self, args, *rest, **named)

    return main


def _list_for_argparse(parser: Any, inputs: Mapping[str, Any]) -> list[str]:
    """Return arguments before options: an option with many values would take those of an argument."""
    positional: list[str] = []
    options: list[str] = []
    subcommand: list[str] = []
    for action in parser._actions:
        kind, name = type(action).__name__, action.dest
        if kind == "_SubParsersAction":
            name = COMMAND if name in (None, "==SUPPRESS==") else name
            chosen = inputs.get(name)
            if chosen in action.choices:
                subcommand = [str(chosen), *_list_for_argparse(action.choices[chosen], inputs)]
        elif inputs.get(name) is None:
            continue
        elif not action.option_strings:
            positional += _to_texts(inputs[name])
        elif kind in _FLAGS:
            options += _list_flag(action, inputs[name])
        else:
            options += (action.option_strings[-1], *_to_texts(inputs[name]))
        passed_names.add(name)
    return [*positional, *options, *subcommand]


def _list_flag(action: Any, value: Any) -> Iterator[str]:
    options = action.option_strings
    if type(action).__name__ == "BooleanOptionalAction":
        yield next((one for one in options if one.startswith("--no-") != bool(value)), options[0])
    elif value == action.const:
        yield options[-1]


def _list_for_click(command: Any, inputs: Mapping[str, Any]) -> Iterator[str]:
    positional: list[str] = []
    for parameter in command.params:
        value = inputs.get(parameter.name)
        if value is None:
            continue
        passed_names.add(parameter.name)
        if parameter.param_type_name == "argument":
            positional += _to_texts(value)
        elif getattr(parameter, "is_flag", False):
            options = parameter.opts if value else parameter.secondary_opts
            yield from options[-1:]
        else:
            texts = _to_texts(value)
            for text in texts if getattr(parameter, "multiple", False) else texts[:1]:
                yield from (parameter.opts[-1], text)
    yield from positional
    chosen = inputs.get(COMMAND)
    subcommand = getattr(command, "commands", {}).get(chosen)
    if subcommand is not None:
        passed_names.add(COMMAND)
        yield from (str(chosen), *_list_for_click(subcommand, inputs))


def _to_texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
