"""The files of a CrewAI project: which crews there are, and what their files contain."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from crewai_runner.core.generated_folders import GENERATED_FOLDERS
from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, to_plain
from crewai_runner.domain.workflow_yaml.omissions import Omission
from crewai_runner.domain.workflow_yaml.problems import Problem, Problems
from crewai_runner.domain.workflow_yaml.reader import read

MAX_CREWS = 20
JSON_ENDINGS = (".jsonc", ".json")
_YAML_ENDINGS = (".yaml", ".yml")
GENERIC_FOLDERS = frozenset({"config", "configs", "src", "crew", "app", ""})
_BRANCH = re.compile(r"-(main|master|develop|[0-9a-f]{40})$")
# An unterminated text extends to the end: it must not be scanned again from each of its quotes.
_JSON_TEXT = r'"(?:\\.|[^"\\])*+(?:"|\\?\Z)'
_JSON_COMMENT = re.compile(rf"({_JSON_TEXT})|//[^\r\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_JSON_TEXT})|,(?=\s*[}}\]])", re.DOTALL)
_NOT_A_LINE_BREAK = re.compile(r"[^\r\n]")
_MAX_TOML_LENGTH = 100_000
_MAX_DOTS = 200
"""Dots in one line of TOML."""


class NotACrewProject(ValueError):
    """The files do not contain a readable crew. `problems` are those of the file that cannot be read."""

    def __init__(self, message: str, problems: list[Problem] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or []


@dataclass(frozen=True)
class CrewFiles:
    """The files of one crew: a `crew.jsonc`, or an `agents.yaml` with its `tasks.yaml`."""

    source: str
    """The `crew.jsonc`, or the folder of the two YAML files."""
    folder: PurePosixPath
    name: str | None
    json: str = ""
    agents: str = ""
    tasks: str = ""


@dataclass
class CrewSource:
    """What the files of a crew say, as in a `crew.jsonc`, and what was left out of it."""

    definition: dict[str, Any]
    omissions: list[Omission] = field(default_factory=list)
    lost_agents: set[str] = field(default_factory=set)
    """Names of agents that the crew has and whose definition cannot be read."""
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    """File and line of what the definition contains, by path in the document."""


def find_crews(files: Mapping[str, str]) -> tuple[list[CrewFiles], list[Omission]]:
    """Return the crews of a project, outermost first, and the files of incomplete ones."""
    paths = list_relevant(files)
    crews: list[CrewFiles] = []
    for path in paths:
        file = PurePosixPath(path)
        if (
            file.stem == "crew"
            and file.suffix in JSON_ENDINGS
            and str(file.with_suffix(".jsonc")) not in (set(paths) - {path})
        ):
            crews.append(CrewFiles(path, file.parent, name_crew(files, file.parent, None), json=path))
    pairs, omissions = _pair_yaml_files(paths)
    for agents, tasks in pairs:
        folder = PurePosixPath(agents).parent
        home = folder.parent if folder.name in GENERIC_FOLDERS else folder
        label = home.name if len(pairs) > 1 else None
        name = name_crew(files, home, label)
        crews.append(CrewFiles(str(folder), home, name, agents=agents, tasks=tasks))
    return crews, omissions


def read_crew_json(crew: CrewFiles, files: Mapping[str, str]) -> CrewSource:
    """Read a `crew.jsonc` with its agents. Raises NotACrewProject when the file itself cannot be read."""
    source = CrewSource(_read_json(crew.json, files[crew.json]))
    definition = source.definition
    source.places = _locate(crew.json, files[crew.json], "")
    agents = definition.get("agents")
    named = agents if isinstance(agents, list) else []
    manager = definition.get("manager_agent")
    if isinstance(manager, str) and isinstance(agents, list) and manager not in named:
        named = [*named, manager]
    if isinstance(agents, list):
        definition["agents"] = [_read_agent(files, crew.folder, agent, source) for agent in named]
        definition["agents"] = [agent for agent in definition["agents"] if agent is not None]
    read_paths = {path for name in named for path in _agent_paths(crew.folder, name)}
    for path in list_relevant(files):
        is_agent = PurePosixPath(path).parent == crew.folder / "agents" and path.endswith(JSON_ENDINGS)
        if is_agent and path not in read_paths:
            source.omissions.append(Omission(path, "The crew does not name this agent."))
    return source


def read_yaml(name: str, text: str) -> object:
    """Return the members in one of the two YAML files. Raises NotACrewProject."""
    problems = Problems(text)
    node: Node | None = read(text, problems)
    if node is None or problems.has_errors:
        raise NotACrewProject(f"{excerpt(name)} cannot be read.", problems.errors())
    is_list = isinstance(node, Listing) and all(isinstance(item, Table) for item in node.items)
    if not isinstance(node, Table) and not is_list:
        raise NotACrewProject(f"{excerpt(name)} is not a mapping of names.")
    return _strip_texts(to_plain(node))


def _strip_texts(members: object) -> object:
    """Strip the trailing line breaks that folded texts in CrewAI's templates have."""
    if isinstance(members, list):
        return [_strip_body(body) for body in members]
    return (
        {name: _strip_body(body) for name, body in members.items()} if isinstance(members, dict) else members
    )


def _strip_body(body: object) -> object:
    if not isinstance(body, dict):
        return body
    return {key: text.strip() if isinstance(text, str) else text for key, text in body.items()}


def list_relevant(files: Mapping[str, str]) -> list[str]:
    """Return the paths outermost first, without hidden folders and installed packages."""
    paths = [path for path in files if not any(map(_is_skipped, PurePosixPath(path).parts[:-1]))]
    return sorted(paths, key=lambda path: (path.count("/"), path))


def _is_skipped(folder: str) -> bool:
    return folder.startswith(".") or folder in GENERATED_FOLDERS


def _pair_yaml_files(paths: list[str]) -> tuple[list[tuple[str, str]], list[Omission]]:
    """Pair each `agents.yaml` with the `tasks.yaml` of its folder, or with the only one that is left."""
    agents, tasks = (
        {PurePosixPath(path).parent: path for path in reversed(paths) if _is_yaml_of(path, stem)}
        for stem in ("agents", "tasks")
    )
    folders = [folder for folder in reversed(agents) if folder in tasks]
    pairs = [(agents.pop(folder), tasks.pop(folder)) for folder in folders]
    if len(agents) == len(tasks) == 1:
        pairs.append((agents.popitem()[1], tasks.popitem()[1]))
    reason = "The other one of agents.yaml and tasks.yaml is not in this folder."
    return pairs, [Omission(path, reason) for path in [*agents.values(), *tasks.values()]]


def _is_yaml_of(path: str, stem: str) -> bool:
    file = PurePosixPath(path)
    return file.stem.lower() == stem and file.suffix.lower() in _YAML_ENDINGS


def _read_agent(
    files: Mapping[str, str], folder: PurePosixPath, agent: object, source: CrewSource
) -> dict[str, Any] | None:
    """Return an agent with its name, or None when it has to be left out."""
    if isinstance(agent, dict):
        return agent
    if not isinstance(agent, str):
        source.omissions.append(Omission("agents", f"`{excerpt(str(agent))}` is not the name of an agent."))
        return None
    path = next((path for path in _agent_paths(folder, agent) if path in files), None)
    try:
        if path is not None:
            source.places |= _locate(path, files[path], f"agents.{excerpt(agent)}")
            return {**_read_json(path, files[path]), "name": agent}
        reason = f"There is no agents/{excerpt(agent)}.jsonc, which the crew names."
    except NotACrewProject as error:
        reason = str(error)
    source.lost_agents.add(agent)
    source.omissions.append(Omission(f"agents.{excerpt(agent)}", reason))
    return None


def _agent_paths(folder: PurePosixPath, agent: object) -> list[str]:
    return [str(folder / "agents" / f"{agent}{ending}") for ending in JSON_ENDINGS]


def _read_json(path: str, text: str) -> dict[str, Any]:
    """Return the object of a JSON file, which may have comments and trailing commas."""
    try:
        value = json.loads(_strip_comments(text))
    except (ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise NotACrewProject(f"{excerpt(path)} cannot be read: {excerpt(reason, 120)}.") from None
    if not isinstance(value, dict):
        raise NotACrewProject(f"{excerpt(path)} is not a JSON object.")
    return value


def _strip_comments(text: str) -> str:
    """Return JSON without comments and trailing commas; its lines stay the same."""
    without = _JSON_COMMENT.sub(
        lambda match: match[1] or _NOT_A_LINE_BREAK.sub(" ", match[0]), text.removeprefix("\ufeff")
    )
    return _TRAILING_COMMA.sub(lambda match: match[1] or " ", without)


def _locate(path: str, text: str, parent: str) -> dict[str, tuple[str, int]]:
    """Return the lines of the keys in a JSON file, by path in the document below `parent`."""
    problems = Problems(plain := _strip_comments(text))
    node = read(plain, problems)
    places = {parent: (path, 1)}
    if isinstance(node, Table):
        _locate_keys(node, parent, path, problems, places)
        tasks = node.get("tasks")
        for item in tasks.items if isinstance(tasks, Listing) and not parent else ():
            name = item.get("name") if isinstance(item, Table) else None
            if isinstance(item, Table) and isinstance(name, Scalar):
                inner = f"tasks.{excerpt(str(name.value))}"
                places[inner] = (path, problems.line_of(item.index))
                _locate_keys(item, inner, path, problems, places)
    return places


def _locate_keys(
    table: Table, parent: str, path: str, problems: Problems, places: dict[str, tuple[str, int]]
) -> None:
    for key, entry in table.entries.items():
        inner = f"{parent}.{excerpt(key)}".removeprefix(".")
        places[inner] = (path, problems.line_of(entry.index))


def name_crew(files: Mapping[str, str], folder: PurePosixPath, label: str | None) -> str | None:
    """Return the project's name, followed by the label; else the name of the crew's folder."""
    for parent in _list_parents(folder):
        project = _read_project_name(files.get(str(parent / "pyproject.toml"), ""))
        if project is not None:
            return f"{project} {label}" if label else project
    named = (_BRANCH.sub("", parent.name) for parent in _list_parents(folder))
    return next((name for name in named if name not in GENERIC_FOLDERS), None)


def _list_parents(folder: PurePosixPath) -> Iterator[PurePosixPath]:
    yield folder
    yield from folder.parents


def _read_project_name(text: str) -> str | None:
    # A key of many parts takes tomllib quadratic time.
    if len(text) > _MAX_TOML_LENGTH or any(line.count(".") > _MAX_DOTS for line in text.splitlines()):
        return None
    try:
        project = tomllib.loads(text).get("project", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) else None
