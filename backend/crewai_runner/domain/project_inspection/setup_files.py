"""What `setup.py` and `setup.cfg` declare. No code is executed."""

import ast
import configparser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.domain.project_inspection.literals import evaluate, list_assignments
from crewai_runner.domain.project_inspection.python_module import keyword_of, name_of
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, parse_source

_MAX_CONFIG_LENGTH = 64 * 1024
_MAX_LINE_LENGTH = 500
"""The pattern of `configparser` takes quadratic time for a long line."""


@dataclass(frozen=True)
class Declared:
    """What one file declares: requirements line by line, and what else it says about the package."""

    source: str | None = None
    lines: tuple[str, ...] = ()
    python: str | None = None
    name: str | None = None
    scripts: Mapping[str, str] = field(default_factory=dict)
    """`package.module:function` by the name of a command."""
    package_folders: tuple[str, ...] = ()
    lock_options: tuple[str, ...] = ()
    """What `uv export` needs to list these requirements."""


def read_setup_code(path: str, text: str) -> Declared:
    """Read the literal arguments of `setup()` in a `setup.py`."""
    try:
        module = parse_source(text)
    except NotData:
        return Declared()
    names = list_assignments(module.body)
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call))
    call = next((node for node in calls if name_of(node.func) == "setup"), None)
    if call is None:
        return Declared()
    keys = ("install_requires", "python_requires", "name", "entry_points", "package_dir")
    requires, python, name, commands, folders = (_evaluate(keyword_of(call, key), names) for key in keys)
    listed = commands.get("console_scripts") if isinstance(commands, dict) else None
    return Declared(
        path,
        tuple(_list_texts(requires)),
        python if isinstance(python, str) else None,
        name if isinstance(name, str) else None,
        dict(_read_commands(_list_texts(listed))),
        tuple(_list_texts(list(folders.values()) if isinstance(folders, dict) else None)),
    )


def read_setup_config(path: str, text: str) -> Declared:
    """Read a `setup.cfg`."""
    lines = text.splitlines()
    if len(text) > _MAX_CONFIG_LENGTH or any(len(line) > _MAX_LINE_LENGTH for line in lines):
        return Declared()
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return Declared()

    def read(section: str, option: str) -> list[str]:
        lines = parser.get(section, option, fallback="").splitlines()
        found = (line.partition("#")[0].strip() for line in lines)
        return [line for line in found if line]

    folders = [line.partition("=")[2].strip() for line in read("options", "package_dir")]
    return Declared(
        path,
        tuple(read("options", "install_requires")),
        next(iter(read("options", "python_requires")), None),
        next(iter(read("metadata", "name")), None),
        dict(_read_commands(read("options.entry_points", "console_scripts"))),
        tuple(filter(None, (*folders, *read("options.packages.find", "where")))),
    )


def _evaluate(expression: ast.expr | None, names: Mapping[str, ast.expr]) -> Any:
    try:
        return None if expression is None else evaluate(expression, names)
    except NotData:
        return None


def _list_texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _read_commands(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        command, equals, target = line.partition("=")
        if equals:
            yield command.strip(), target.strip()
