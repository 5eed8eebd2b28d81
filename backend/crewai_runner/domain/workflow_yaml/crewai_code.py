"""What a CrewAI crew class adds to its YAML files, read from its syntax tree. No code is executed."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_yaml.crewai_files import CrewSource
from crewai_runner.domain.workflow_yaml.lenient_import import Omission
from crewai_runner.domain.workflow_yaml.python_data import (
    MethodCall,
    NotData,
    evaluate,
    list_assignments,
    list_classes,
    parse_source,
)

_SECTIONS = {"agent": "agents", "task": "tasks"}
_REFERENCES = ("agent", "context", "manager_agent")
_KINDS = ("agent", "task", "crew")
_HARMLESS = frozenset({"CrewBase", "tool", "llm", "cache_handler", "staticmethod", "classmethod", "property"})


@dataclass(frozen=True)
class _Method:
    """A method that builds an agent, a task or the crew."""

    path: str
    kind: str
    name: str
    arguments: dict[str, ast.expr]
    names: Mapping[str, ast.expr]
    key: str | None
    """The key of its YAML mapping; None if the method names none."""


def read_crew_code(agents: object, tasks: object, code: Mapping[str, str]) -> CrewSource:
    """Complete the contents of `agents.yaml` and `tasks.yaml` by the crew class in `code`, texts by path.

    Of the arguments that the class gives to agents, tasks and the crew, values that are written down are
    taken over, and each other one is an omission. The order of the tasks is that of their methods.
    """
    source = CrewSource({"agents": agents, "tasks": tasks})
    if not isinstance(agents, dict) or not isinstance(tasks, dict):
        return source
    source.definition = {"agents": _copy(agents), "tasks": _copy(tasks)}
    methods = list(_find_methods(code, source.omissions))
    keys = {"agents": _complete(methods, "agent", source), "tasks": _complete(methods, "task", source)}
    _resolve_references(source.definition, keys)
    for method in methods:
        if method.kind == "crew":
            _complete_crew(method, source, keys)
    return source


def _copy(members: dict[Any, Any]) -> dict[Any, Any]:
    return {key: dict(body) if isinstance(body, dict) else body for key, body in members.items()}


def _find_methods(code: Mapping[str, str], omissions: list[Omission]) -> Iterator[_Method]:
    for path, text in code.items():
        if "crewai" not in text:
            continue
        try:
            module = parse_source(text)
        except NotData as error:
            omissions.append(Omission(path, str(error)))
            continue
        names = list_assignments(module.body)
        for node in module.body:
            if isinstance(node, ast.ClassDef):
                yield from _read_class(path, node, names, omissions)


def _read_class(
    path: str, node: ast.ClassDef, names: Mapping[str, ast.expr], omissions: list[Omission]
) -> Iterator[_Method]:
    if any(_name_of(base) == "Flow" for base in node.bases):
        omissions.append(Omission(f"{path}:{node.lineno}", f"The flow `{node.name}` is Python code."))
    functions = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    known = {**names, **list_assignments(node.body)}
    for function in functions:
        if function.name == "__init__":
            known |= list_assignments(function.body)
    for function in functions:
        for decorator in map(_name_of, function.decorator_list):
            if decorator in _KINDS:
                yield _read_method(path, decorator, function, known)
            elif decorator is not None and decorator not in _HARMLESS:
                reason = f"`{function.name}` (@{decorator}) is Python code."
                omissions.append(Omission(f"{path}:{function.lineno}", reason))


def _name_of(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _name_of(inner)
    return None


def _read_method(
    path: str, kind: str, function: ast.FunctionDef | ast.AsyncFunctionDef, names: Mapping[str, ast.expr]
) -> _Method:
    known = {**names, **list_assignments(function.body)}
    returned = next((item.value for item in reversed(function.body) if isinstance(item, ast.Return)), None)
    if isinstance(returned, ast.Name):
        returned = known.get(returned.id)
    arguments: dict[str, ast.expr] = {}
    if isinstance(returned, ast.Call):
        arguments = {word.arg or "**": word.value for word in returned.keywords}
    key = _read_config_key(arguments.pop("config", None))
    return _Method(path, kind, function.name, arguments, known, key)


def _read_config_key(node: ast.expr | None) -> str | None:
    """Return the key in `self.agents_config["writer"]` or `self.agents_config.get("writer")`."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
        case ast.Call(args=[ast.Constant(value=str() as key), *_]):
            return key
    return None


def _complete(methods: list[_Method], kind: str, source: CrewSource) -> dict[str, str]:
    """Complete the members of a section, in the order of their methods; return their keys by method."""
    section = _SECTIONS[kind]
    given: dict[str, Any] = source.definition[section]
    of_kind = [method for method in methods if method.kind == kind]
    keys = {method.name: method.key or method.name for method in of_kind}
    if not of_kind:
        return keys
    members: dict[str, Any] = {}
    for method in of_kind:
        key = keys[method.name]
        body = given.get(key)
        path = f"{section}.{excerpt(key)}"
        members[key] = {**(body if isinstance(body, dict) else {}), **_read_arguments(method, path, source)}
    for key in given:
        if key not in members:
            reason = f"The crew class has no method with @{kind} for it."
            source.omissions.append(Omission(f"{section}.{excerpt(str(key))}", reason))
    source.definition[section] = members
    return keys


def _read_arguments(method: _Method, path: str, source: CrewSource) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, expression in method.arguments.items():
        try:
            if name == "tools":
                values[name] = list_classes(expression, method.names)
                continue
            value = evaluate(expression, method.names)
            items = value if isinstance(value, list) else [value]
            if name not in _REFERENCES and any(isinstance(item, MethodCall) for item in items):
                raise NotData
            values[name] = value
        except NotData:
            where = f"line {expression.lineno} of {method.path}"
            source.omissions.append(Omission(f"{path}.{name}", f"It is Python code, in {where}."))
    return values


def _resolve_references(definition: dict[str, Any], keys: dict[str, dict[str, str]]) -> None:
    """Replace the methods that tasks name by the keys of their agents and tasks."""
    for task in definition["tasks"].values():
        if not isinstance(task, dict):
            continue
        if "agent" in task:
            task["agent"] = _to_key(task["agent"], definition["agents"], keys["agents"])
        context = task.get("context")
        if isinstance(context, list):
            task["context"] = [_to_key(item, definition["tasks"], keys["tasks"]) for item in context]


def _to_key(value: object, members: dict[str, Any], keys: dict[str, str]) -> object:
    name = value.method if isinstance(value, MethodCall) else value
    if not isinstance(name, str) or (name in members and not isinstance(value, MethodCall)):
        return value
    return keys.get(name.strip(), name)


def _complete_crew(method: _Method, source: CrewSource, keys: dict[str, dict[str, str]]) -> None:
    for section in ("agents", "tasks"):
        chosen = method.arguments.pop(section, None)
        if chosen is not None and _name_of(chosen) != section:
            _choose_members(method, section, chosen, source, keys[section])
    for name, value in _read_arguments(method, "crew", source).items():
        is_agent = name == "manager_agent"
        found = _to_key(value, source.definition["agents"], keys["agents"]) if is_agent else value
        source.definition[name] = found


def _choose_members(
    method: _Method, section: str, chosen: ast.expr, source: CrewSource, keys: dict[str, str]
) -> None:
    """Keep the members that the crew lists, in this order; the manager and the agents of tasks stay."""
    try:
        calls = evaluate(chosen, method.names)
    except NotData:
        calls = None
    if not isinstance(calls, list) or not all(isinstance(call, MethodCall) for call in calls):
        reason = f"The crew chooses its {section} by Python code, in line {chosen.lineno} of {method.path}."
        source.omissions.append(Omission(section, f"{reason} All of them were imported."))
        return
    if section == "agents":
        return  # agents outside the list have no task, or perform one nevertheless
    members = source.definition[section]
    names = [keys.get(call.method, call.method) for call in calls]
    source.definition[section] = {name: members[name] for name in names if name in members}
    for name in members:
        if name not in names:
            omission = Omission(f"{section}.{excerpt(name)}", "The crew does not contain it.")
            source.omissions.append(omission)
