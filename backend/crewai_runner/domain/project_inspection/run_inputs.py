"""Which inputs a project takes, and their default values."""

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from crewai_runner.domain.field_types import INPUT_NAME
from crewai_runner.domain.project import EntryPoint, ProjectKind
from crewai_runner.domain.project_inspection.command_lines import list_options
from crewai_runner.domain.project_inspection.crew_callables import find_type_of, list_parameters
from crewai_runner.domain.project_inspection.literals import evaluate, list_assignments
from crewai_runner.domain.project_inspection.project_sources import ProjectSources, is_secondary
from crewai_runner.domain.project_inspection.python_module import PythonModule, keyword_of, name_of
from crewai_runner.domain.workflow import InputDefinition, InputType
from crewai_runner.domain.workflow_texts import AGENT_TEXTS, TASK_TEXTS, placeholder_names
from crewai_runner.domain.workflow_yaml.crewai_files import CrewFiles, NotACrewProject, read_crew_json
from crewai_runner.domain.workflow_yaml.python_project.source import NotData

MAX_INPUTS = 100
MAX_KICKOFFS = 200
"""Calls whose inputs are looked for: for each of them, the blocks of its file are searched."""
LONG_TEXT = 200
_KICKOFFS = frozenset({"kickoff", "kickoff_async", "akickoff"})
_FOR_EACH = frozenset({"kickoff_for_each", "kickoff_for_each_async", "akickoff_for_each"})
_YAML_COMMENT = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_UNKNOWN = object()


def find_inputs(sources: ProjectSources, entry: EntryPoint) -> list[InputDefinition]:
    """Return the inputs of an entry point.

    A function or file passes inputs of its own to `kickoff`: each of them has a default value or is computed.
    A class or a `crew.jsonc` needs a value for each placeholder in its texts. What is called with arguments
    takes those, too. Code that only starts crews for each item of a list has its own values, which a run does
    not replace.
    """
    reachable = sources.list_reachable(entry.path) if entry.path in sources.modules else []
    modules = [sources.modules[path] for path in reachable]
    crew = _read_crew_file(sources, entry)
    mappings = itertools.islice(_list_kickoff_inputs(modules, entry), MAX_KICKOFFS)
    values = _read_declared_inputs(crew) or next(filter(None, mappings), {})
    definitions = {one.name: one for one in _list_arguments(sources, entry)}
    for name, value in values.items():
        definitions.setdefault(name, _define(name, value))
    has_flow = entry.kind is ProjectKind.FLOW or any(module.flow_classes for module in modules)
    if (
        not has_flow
        and not _has_only_lists(modules, entry)
        and (not values or entry.kind is not ProjectKind.SCRIPT)
    ):
        is_required = entry.kind is not ProjectKind.SCRIPT
        texts = [crew] if crew else _list_texts(sources, entry, modules)
        for name in _find_placeholders(texts):
            definitions.setdefault(name, InputDefinition(name=name, required=is_required))
    return list(definitions.values())[:MAX_INPUTS]


def _list_arguments(sources: ProjectSources, entry: EntryPoint) -> list[InputDefinition]:
    """Return the inputs that an entry point is called with, or that its file reads from the command line."""
    module = sources.modules.get(entry.path)
    if module is None:
        return []
    parameters = list_parameters(module, entry.name) if entry.name else None
    return parameters or (list_options(module) if entry.kind is ProjectKind.SCRIPT else [])


def _has_only_lists(modules: list[PythonModule], entry: EntryPoint) -> bool:
    """Return whether the code starts crews for each item of a list, and nothing else starts one."""
    called = {name_of(call.func) for module in modules for call in module.calls}
    crews = {name for module in modules for name in (*module.crew_classes, *module.crew_variables)}
    return bool(called & _FOR_EACH) and not called & _KICKOFFS and entry.name not in crews


def _define(name: str, value: object) -> InputDefinition:
    if value is _UNKNOWN or value is None:
        return InputDefinition(name=name, type=InputType.ANY, required=False)
    kind = find_type_of(value)
    if isinstance(value, str) and (len(value) > LONG_TEXT or "\n" in value):
        kind = InputType.TEXT
    try:
        return InputDefinition(name=name, type=kind, default=value, required=False)
    except ValidationError:
        return InputDefinition(name=name, type=kind, required=False)


def _list_kickoff_inputs(modules: list[PythonModule], entry: EntryPoint) -> Iterator[dict[str, Any]]:
    """Yield the inputs of each call of `kickoff`, if it has any: the entry's function first, then files."""
    for number, module in enumerate(modules):
        if number == 0 and entry.name in module.functions:
            yield from _read_kickoffs(module, [module.functions[entry.name]])
        yield from _read_kickoffs(module, [module.tree])


def _read_kickoffs(module: PythonModule, roots: Iterable[ast.AST]) -> Iterator[dict[str, Any]]:
    for root in roots:
        for node in ast.walk(root):
            if isinstance(node, ast.Call) and name_of(node.func) in _KICKOFFS:
                expression = keyword_of(node, "inputs") or (node.args[0] if node.args else None)
                known = {**module.assignments, **_list_local_names(module, node)}
                yield _read_mapping(expression, known)


def _list_local_names(module: PythonModule, call: ast.Call) -> dict[str, ast.expr]:
    """Return what names are assigned in the innermost function around a call, or in top-level blocks."""
    names: dict[str, ast.expr] = {}
    for node in module.blocks:
        if node.lineno <= call.lineno <= (node.end_lineno or node.lineno):
            names |= list_assignments(node.body)
    return names


def _read_mapping(expression: ast.expr | None, names: Mapping[str, ast.expr]) -> dict[str, Any]:
    if isinstance(expression, ast.Name):
        expression = names.get(expression.id)
    if isinstance(expression, ast.Call) and name_of(expression.func) == "dict":
        pairs = [(word.arg, word.value) for word in expression.keywords]
    elif isinstance(expression, ast.Dict):
        pairs = [
            (key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None, value)
            for key, value in zip(expression.keys, expression.values, strict=True)
        ]
    else:
        return {}
    return {name: _evaluate(value, names) for name, value in pairs if name and INPUT_NAME.fullmatch(name)}


def _evaluate(expression: ast.expr, names: Mapping[str, ast.expr]) -> Any:
    try:
        value = evaluate(expression, names)
    except NotData:
        return _UNKNOWN
    is_data = isinstance(value, str | int | float | list | dict)
    return value if is_data else _UNKNOWN


def _read_crew_file(sources: ProjectSources, entry: EntryPoint) -> dict[str, Any]:
    """Return the contents of a `crew.jsonc` with its agents; empty for other entry points."""
    if entry.kind is not ProjectKind.CREW_FILE:
        return {}
    crew = CrewFiles(entry.path, PurePosixPath(entry.path).parent, None, json=entry.path)
    try:
        return read_crew_json(crew, sources.texts).definition
    except NotACrewProject:
        return {}


def _read_declared_inputs(crew: Mapping[str, Any]) -> dict[str, Any]:
    """Return the default values in the `inputs` of a `crew.jsonc`."""
    inputs = crew.get("inputs")
    found = inputs if isinstance(inputs, dict) else {}
    return {name: value for name, value in found.items() if INPUT_NAME.fullmatch(name)}


def _find_placeholders(values: Iterable[object]) -> Iterator[str]:
    """Yield the placeholders in all texts of JSON values; a value is not nested deeply."""
    waiting = list(values)[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield from placeholder_names(value)
        elif isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)


def _is_crew_yaml(path: str) -> bool:
    file = PurePosixPath(path.lower())
    return file.suffix in {".yaml", ".yml"} and ("agent" in file.name or "task" in file.name)


def _list_texts(sources: ProjectSources, entry: EntryPoint, modules: list[PythonModule]) -> Iterator[str]:
    """Yield the YAML files near an entry point, and the texts of agents and tasks in code."""
    folder = PurePosixPath(entry.working_directory)
    homes = [path for path in sources.texts if _is_crew_yaml(path) and not is_secondary(path)]
    near = [path for path in homes if PurePosixPath(entry.path).parent in PurePosixPath(path).parents]
    for path in near or [path for path in homes if folder in PurePosixPath(path).parents]:
        yield _YAML_COMMENT.sub("", sources.texts[path])
    for module in modules:
        for call in module.calls:
            if name_of(call.func) in {"Agent", "Task"}:
                for key in (*AGENT_TEXTS, *TASK_TEXTS):
                    value = keyword_of(call, key)
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield value.value
