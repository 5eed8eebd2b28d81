"""The crews and the leftovers of a project's Python files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_yaml.crewai_files import list_relevant
from crewai_runner.domain.workflow_yaml.nodes import Table, to_plain
from crewai_runner.domain.workflow_yaml.omissions import LossKind, Omission
from crewai_runner.domain.workflow_yaml.problems import Problems
from crewai_runner.domain.workflow_yaml.python_project.configs import ConfigFile, ConfigFiles
from crewai_runner.domain.workflow_yaml.python_project.constructions import CREW, list_sites
from crewai_runner.domain.workflow_yaml.python_project.crews import CodeCrew, CrewReader
from crewai_runner.domain.workflow_yaml.python_project.inputs import find_inputs
from crewai_runner.domain.workflow_yaml.python_project.leftovers import find_custom_tools, list_leftovers
from crewai_runner.domain.workflow_yaml.python_project.scopes import PythonProject
from crewai_runner.domain.workflow_yaml.python_project.source import NotData, SourceModule, read_module
from crewai_runner.domain.workflow_yaml.reader import read

MAX_SOURCE_SIZE = 2_000_000
"""Characters of Python that are parsed: a syntax tree takes a hundred times as many bytes."""
MAX_CODE_CREWS = 60
_MAX_CONFIG_FILES = 200
_YAML_ENDINGS = (".yaml", ".yml")
_TEST_FOLDERS = frozenset({"test", "tests"})


@dataclass
class PythonCrews:
    """The crews in a project's code, and what else it contains."""

    crews: list[CodeCrew] = field(default_factory=list)
    omissions: list[Omission] = field(default_factory=list)
    inputs: dict[str, Any] = field(default_factory=dict)
    custom_tools: dict[str, tuple[str, int]] = field(default_factory=dict)
    knowledge_files: set[str] = field(default_factory=set)


def read_python(files: Mapping[str, str]) -> PythonCrews:
    """Read the Python files of a project. No code is executed."""
    found = PythonCrews()
    modules = list(_read_modules(files, found.omissions))
    project = PythonProject(modules)
    configs = _read_configs(files, found.omissions)
    for site in [site for module in modules if not _is_test(module) for site in list_sites(module, CREW)]:
        if len(found.crews) >= MAX_CODE_CREWS:
            reason = f"Only the first {MAX_CODE_CREWS} crews in code are read."
            made = site.construction
            found.omissions.append(Omission(made.file, reason, LossKind.CREW, made.file, made.call.lineno))
            break
        _add_crew(found, CrewReader(project, ConfigFiles(configs), files).read(site))
    found.custom_tools = find_custom_tools(project)
    found.inputs = find_inputs(project)
    used = {position for crew in found.crews for position in crew.positions}
    found.omissions += list_leftovers(project, used)
    found.omissions += _list_unused_configs(found.crews, configs)
    return found


def _add_crew(found: PythonCrews, crew: CodeCrew) -> None:
    is_copy = any(other.definition == crew.definition for other in found.crews)
    if crew.definition["agents"] and crew.definition["tasks"]:
        found.knowledge_files |= crew.findings.used_files
        if not is_copy:
            found.crews.append(crew)
        return
    made = crew.site.construction
    reason = f"The agents or the tasks of the crew in `{crew.site.label}` are made by Python code."
    place = f"{made.file}:{made.call.lineno}"
    found.omissions.append(Omission(place, reason, LossKind.CREW, made.file, made.call.lineno))
    found.omissions += crew.findings.omissions


def _read_modules(files: Mapping[str, str], omissions: list[Omission]) -> list[SourceModule]:
    paths = [path for path in list_relevant(files) if path.endswith(".py") and files[path].strip()]
    paths.sort(key=lambda path: "crewai" not in files[path])
    modules: list[SourceModule] = []
    size = 0
    for path in paths:
        size += len(files[path])
        try:
            if size > MAX_SOURCE_SIZE:
                raise NotData(f"Only the first {MAX_SOURCE_SIZE:,} characters of Python are read.")
            modules.append(read_module(path, files[path]))
        except NotData as error:
            omissions.append(Omission(path, str(error), LossKind.CODE, path))
    return sorted(modules, key=lambda module: (module.path.count("/"), module.path))


def _read_configs(files: Mapping[str, str], omissions: list[Omission]) -> list[ConfigFile]:
    paths = [path for path in list_relevant(files) if path.lower().endswith(_YAML_ENDINGS)]
    wanted = [path for path in paths if "role:" in files[path] or "expected_output:" in files[path]]
    configs: list[ConfigFile] = []
    for path in wanted[:_MAX_CONFIG_FILES]:
        config = read_config(path, files[path], problems := Problems(files[path]))
        if config is not None:
            configs.append(config)
        first = problems.errors()[:1]
        omissions += [Omission(path, item.message, LossKind.FILE, path, item.line) for item in first]
    return configs


def read_config(path: str, text: str, problems: Problems) -> ConfigFile | None:
    """Read agents or tasks by name; None if the file is something else or cannot be read."""
    node = read(text, problems)
    if not isinstance(node, Table) or problems.has_errors:
        return None
    members: dict[str, dict[str, Any]] = {}
    lines: dict[str, int] = {}
    for name, entry in node.entries.items():
        body = to_plain(entry.node)
        if not isinstance(body, dict) or not isinstance(entry.node, Table):
            continue
        members[name] = {key: item.strip() if isinstance(item, str) else item for key, item in body.items()}
        lines[name] = problems.line_of(entry.index)
        lines |= {f"{name}.{key}": problems.line_of(inner.index) for key, inner in entry.node.entries.items()}
    return ConfigFile(path, members, lines) if members else None


def _list_unused_configs(crews: list[CodeCrew], configs: list[ConfigFile]) -> list[Omission]:
    """Name the members of the YAML files of the crews that no crew contains."""
    used = {member for crew in crews for member in crew.findings.config_members}
    files = {path for path, _ in used}
    found: list[Omission] = []
    for config in configs:
        for key, body in config.members.items() if config.path in files else ():
            if (config.path, key) in used:
                continue
            is_agent = "role" in body or "goal" in body
            section, kind = ("agents", LossKind.AGENT) if is_agent else ("tasks", LossKind.TASK)
            reason = "No crew in the code contains it."
            path = f"{section}.{excerpt(key)}"
            found.append(Omission(path, reason, kind, config.path, config.lines.get(key, 0)))
    return found


def _is_test(module: SourceModule) -> bool:
    file = PurePosixPath(module.path)
    return file.name.startswith("test_") or not _TEST_FOLDERS.isdisjoint(file.parts[:-1])
