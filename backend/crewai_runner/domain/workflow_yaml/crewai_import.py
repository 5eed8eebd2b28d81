"""Conversion of CrewAI's own project files to one document. No code of a project is executed."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_texts import AGENT_TEXTS, TASK_TEXTS, placeholder_names
from crewai_runner.domain.workflow_yaml.lenient_import import Omission, import_leniently
from crewai_runner.domain.workflow_yaml.nodes import Node, NotADocument, Table, from_plain, to_plain
from crewai_runner.domain.workflow_yaml.problems import Problem, Problems
from crewai_runner.domain.workflow_yaml.reader import read
from crewai_runner.domain.workflow_yaml.serialisation import dump

_JSON = (".jsonc", ".json")
# An unterminated text extends to the end: it must not be scanned again from each of its quotes.
_JSON_TEXT = r'"(?:\\.|[^"\\])*+(?:"|\\?\Z)'
_JSON_COMMENT = re.compile(rf"({_JSON_TEXT})|//[^\r\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_JSON_TEXT})|,(?=\s*[}}\]])", re.DOTALL)
_MAX_COMMENTS = 50
_MAX_TOML_LENGTH = 100_000
_MAX_DOTS = 200
"""Dots in one line of TOML."""


class NotACrewProject(ValueError):
    """The files do not contain a readable crew. `problems` are those of the file that cannot be read."""

    def __init__(self, message: str, problems: list[Problem] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or []


def from_crewai_files(agents_yaml: str, tasks_yaml: str, crew: Mapping[str, Any] | None = None) -> str:
    """Convert `agents.yaml` and `tasks.yaml`, and optionally further keys of the crew, to one document.

    Names (`llm: my_llm`, `tools: [my_tool]`) stay names. Values that a document does not support are
    left out and listed in comments at the top. Raises NotACrewProject when a file is not valid YAML.
    """
    agents, tasks = _read_yaml("agents.yaml", agents_yaml), _read_yaml("tasks.yaml", tasks_yaml)
    return _to_document({**(crew or {}), "agents": _strip_texts(agents), "tasks": _strip_texts(tasks)})


def from_crewai_project(files: Mapping[str, str]) -> str:
    """Convert a project's files (by path) to one document: JSON, or `agents.yaml` and `tasks.yaml`.

    Other files are ignored, except for the name in `pyproject.toml`. Raises NotACrewProject.
    """
    crew = _find_file(files, tuple(f"crew{ending}" for ending in _JSON))
    if crew is not None:
        return _from_json(files, crew)
    agents, tasks = (
        _find_file(files, ("agents.yaml", "agents.yml")),
        _find_file(files, ("tasks.yaml", "tasks.yml")),
    )
    if agents is None or tasks is None:
        raise NotACrewProject("There is neither a crew.jsonc nor an agents.yaml with a tasks.yaml.")
    name = _read_project_name(files)
    return from_crewai_files(files[agents], files[tasks], {"name": name} if name else None)


def _from_json(files: Mapping[str, str], path: str) -> str:
    crew = _read_json(path, files[path])
    folder = PurePosixPath(path).parent
    agents = crew.get("agents")
    names = [*agents] if isinstance(agents, list) else []
    manager = crew.get("manager_agent")
    if isinstance(manager, str) and manager not in names:
        names.append(manager)
    if all(isinstance(name, str) for name in names) and not isinstance(agents, dict):
        crew["agents"] = {name: _read_agent(files, folder, name) for name in names}
    return _to_document(crew)


def _read_agent(files: Mapping[str, str], folder: PurePosixPath, name: str) -> dict[str, Any]:
    for ending in _JSON:
        path = str(folder / "agents" / f"{name}{ending}")
        if path in files:
            return _read_json(path, files[path])
    raise NotACrewProject(f"There is no agents/{excerpt(name)}.jsonc, which the crew names.")


def _to_document(crew: dict[str, Any]) -> str:
    try:
        node = from_plain(crew)
    except NotADocument as error:
        raise NotACrewProject(str(error)) from None
    document, omissions = import_leniently(node) if isinstance(node, Table) else ({}, [])
    _declare_inputs(document)
    return _format_comments(omissions) + dump(document)


def _declare_inputs(document: dict[str, Any]) -> None:
    """Declare the inputs that texts use; CrewAI's own format does not declare them."""
    names = [
        name
        for section, attributes in (("agents", AGENT_TEXTS), ("tasks", TASK_TEXTS))
        for member in document.get(section, {}).values()
        for attribute in attributes
        if isinstance(text := member.get(attribute), str)
        for name in placeholder_names(text)
    ]
    given = document.get("inputs")
    declared = dict(given) if isinstance(given, dict) else {}
    for name in names:
        declared.setdefault(name, {"type": "any"})
    if declared:
        document["inputs"] = declared


def _format_comments(omissions: list[Omission]) -> str:
    if not omissions:
        return ""
    lines = [f"#   {omission.path}: {omission.reason}" for omission in omissions[:_MAX_COMMENTS]]
    more = [f"#   and {len(omissions) - _MAX_COMMENTS} more"] if len(omissions) > _MAX_COMMENTS else []
    text = "\n".join(["# Left out, because a document does not support it:", *lines, *more, ""])
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def _read_yaml(name: str, text: str) -> object:
    problems = Problems(text)
    node: Node | None = read(text, problems)
    if node is None or problems.has_errors:
        raise NotACrewProject(f"{name} cannot be read.", problems.errors())
    if not isinstance(node, Table):
        raise NotACrewProject(f"{name} is not a mapping of names.")
    return to_plain(node)


def _strip_texts(members: object) -> object:
    """Strip the trailing line breaks that folded texts in CrewAI's templates have."""
    if not isinstance(members, dict):
        return members
    return {
        name: {key: text.strip() if isinstance(text, str) else text for key, text in body.items()}
        if isinstance(body, dict)
        else body
        for name, body in members.items()
    }


def _read_json(path: str, text: str) -> dict[str, Any]:
    """Return the object of a JSON file, which may have comments and trailing commas."""
    text = text.removeprefix("\ufeff")
    without_comments = _JSON_COMMENT.sub(lambda match: match[1] or " ", text)
    try:
        value = json.loads(_TRAILING_COMMA.sub(lambda match: match[1] or "", without_comments))
    except (ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise NotACrewProject(f"{excerpt(path)} cannot be read: {excerpt(reason, 120)}.") from None
    if not isinstance(value, dict):
        raise NotACrewProject(f"{excerpt(path)} is not a JSON object.")
    return value


def _find_file(files: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    found = [path for path in files if PurePosixPath(path).name in names]
    return min(found, key=lambda path: (len(PurePosixPath(path).parts), path), default=None)


def _read_project_name(files: Mapping[str, str]) -> str | None:
    path = _find_file(files, ("pyproject.toml",))
    text = files[path] if path else ""
    # A key of many parts takes tomllib quadratic time.
    if len(text) > _MAX_TOML_LENGTH or any(line.count(".") > _MAX_DOTS for line in text.splitlines()):
        return None
    try:
        project = tomllib.loads(text).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) else None
