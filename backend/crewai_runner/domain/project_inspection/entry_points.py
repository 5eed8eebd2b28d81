"""Where the execution of a project may start, best first."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath

from crewai_runner.domain.project import EntryPoint, ProjectKind
from crewai_runner.domain.project_inspection.crew_callables import list_crew_callables
from crewai_runner.domain.project_inspection.dependencies import Dependencies
from crewai_runner.domain.project_inspection.project_sources import ProjectSources, is_secondary
from crewai_runner.domain.project_inspection.python_module import (
    MAIN_FILES,
    PythonModule,
    needs_arguments,
)

MAX_ENTRY_POINTS = 50
_PREFERRED_FUNCTIONS = ("run", "kickoff", "run_crew", "main", "start", "start_crew", "cli")
_OTHER_COMMANDS = frozenset(
    {"train", "replay", "test", "evaluate", "plot", "run_with_trigger", "serve", "server", "dev", "lint"}
)
_MAIN_FUNCTIONS = ("run", "kickoff", "main")
_PROJECT_FILES = ("pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile")


class _Rank(IntEnum):
    """The order in which kinds of entry points are preferred."""

    COMMAND = 1
    CREW_FILE = 2
    MAIN_FUNCTION = 3
    EXECUTABLE_FILE = 4
    FLOW = 5
    CREW_CLASS = 6
    CREW_OBJECT = 7
    WITH_ARGUMENTS = 8
    WITHOUT_START = 9
    FUNCTION_OF_SHELL = 10
    SHELL = 11


@dataclass(frozen=True)
class _Candidate:
    rank: _Rank
    point: EntryPoint
    preference: int = 0

    def order(self) -> tuple[bool, bool, int, int, int, int, str]:
        """Tests and examples last; a project further out before one that is further in."""
        path, folder = self.point.path, self.point.working_directory
        depth = 0 if folder == "." else folder.count("/") + 1
        is_weak = self.rank >= _Rank.CREW_OBJECT
        return is_secondary(path), is_weak, depth, self.rank, self.preference, path.count("/"), path


def find_entry_points(
    sources: ProjectSources, declared: Mapping[str, Dependencies], crew_files: list[str]
) -> list[EntryPoint]:
    """Return the entry points of a project. `declared` are the dependencies by folder.

    Where nothing that uses CrewAI can be started, any script of the project can.
    """
    files = (_point(ProjectKind.CREW_FILE, path, None, path, declared) for path in crew_files)
    candidates = [
        *_list_candidates(sources, declared, sources.importers),
        *(_Candidate(_Rank.CREW_FILE, point) for point in files),
    ]
    if not candidates:
        candidates = _list_plain_scripts(sources, declared)
    found: dict[tuple[str, str | None], EntryPoint] = {}
    for candidate in sorted(candidates, key=_Candidate.order):
        found.setdefault((candidate.point.path, candidate.point.name), candidate.point)
    return list(found.values())[:MAX_ENTRY_POINTS]


def find_project_folder(path: str, declared: Mapping[str, Dependencies]) -> str:
    """Return the nearest folder above a file that declares dependencies; the root if none does."""
    return next((str(parent) for parent in PurePosixPath(path).parents if str(parent) in declared), ".")


def list_project_folders(sources: ProjectSources) -> list[str]:
    """Return the folders that declare dependencies, and the root."""
    folders = {
        str(PurePosixPath(path).parent)
        for path in sources.texts
        if PurePosixPath(path).name in _PROJECT_FILES
    }
    return sorted({".", *folders}, key=lambda folder: (folder.count("/"), folder))


def _point(
    kind: ProjectKind, path: str, name: str | None, title: str, declared: Mapping[str, Dependencies]
) -> EntryPoint:
    folder = find_project_folder(path, declared)
    return EntryPoint(kind=kind, path=path, name=name, title=title, working_directory=folder)


def _list_plain_scripts(sources: ProjectSources, declared: Mapping[str, Dependencies]) -> list[_Candidate]:
    """Return the candidates of a project in which nothing that uses CrewAI can be started."""
    paths = frozenset(path for path in sources.modules if not is_secondary(path))
    candidates = _list_candidates(sources, declared, paths)
    for path in paths:
        module = sources.modules[path]
        if module.name in MAIN_FILES and module.shell is None and module.has_calls:
            point = _point(ProjectKind.SCRIPT, path, None, path, declared)
            candidates.append(_Candidate(_Rank.EXECUTABLE_FILE, point))
    return candidates


def _list_candidates(
    sources: ProjectSources, declared: Mapping[str, Dependencies], paths: frozenset[str]
) -> list[_Candidate]:
    """Return the candidates in these modules."""
    candidates = list(_list_commands(sources, declared, paths))
    for path, module in sources.modules.items():
        if path in paths:
            candidates += _list_module_candidates(module, declared)
    return candidates


def _list_commands(
    sources: ProjectSources, declared: Mapping[str, Dependencies], paths: frozenset[str]
) -> Iterator[_Candidate]:
    """Yield the functions of `[project.scripts]` that are in these modules."""
    for folder, dependencies in declared.items():
        for command, target in dependencies.scripts.items():
            dotted, _, name = target.partition(":")
            name = name.strip().partition("[")[0].strip()
            path = sources.find_module(dotted.strip(), folder)
            if path is None or path not in paths or name in _OTHER_COMMANDS:
                continue
            function = sources.modules[path].functions.get(name)
            if function is not None and needs_arguments(function):
                continue
            preference = (
                _PREFERRED_FUNCTIONS.index(name)
                if name in _PREFERRED_FUNCTIONS
                else len(_PREFERRED_FUNCTIONS) + (command in _OTHER_COMMANDS)
            )
            started = None if name in sources.modules[path].called_functions else name
            point = EntryPoint(
                kind=ProjectKind.SCRIPT, path=path, name=started, title=command, working_directory=folder
            )
            yield _Candidate(_Rank.COMMAND, point, preference)


def _list_module_candidates(
    module: PythonModule, declared: Mapping[str, Dependencies]
) -> Iterator[_Candidate]:
    path = module.path

    def candidate(rank: _Rank, kind: ProjectKind, name: str | None, preference: int = 0) -> _Candidate:
        title = f"{name} in {path}" if name else path
        return _Candidate(rank, _point(kind, path, name, title, declared), preference)

    if module.shell is not None:
        if module.is_executable or module.name in MAIN_FILES:
            yield candidate(_Rank.SHELL, ProjectKind.SCRIPT, None)
    else:
        for number, name in enumerate(_list_main_functions(module)):
            preference = MAIN_FILES.index(module.name) * len(_MAIN_FUNCTIONS) + number
            yield candidate(_Rank.MAIN_FUNCTION, ProjectKind.SCRIPT, name, preference)
        if module.is_executable:
            preference = 0 if module.name in (*MAIN_FILES, "crew.py", "__main__.py") else 1
            yield candidate(_Rank.EXECUTABLE_FILE, ProjectKind.SCRIPT, None, preference)
    for name in module.flow_classes:
        yield candidate(_Rank.FLOW, ProjectKind.FLOW, name)
    for name in module.crew_classes:
        yield candidate(_Rank.CREW_CLASS, ProjectKind.CREW_CLASS, name)
    for rank, crew in _list_crew_objects(module):
        yield candidate(rank, ProjectKind.SCRIPT, crew)


def _list_main_functions(module: PythonModule) -> list[str]:
    is_main_file = module.name in MAIN_FILES
    return [name for name in _MAIN_FUNCTIONS if is_main_file and _is_callable(module, name)]


def _is_callable(module: PythonModule, name: str) -> bool:
    """Return whether a module has this function, not asynchronous, without required arguments.

    One that the module calls itself is left out: the file is run instead.
    """
    function = module.functions.get(name)
    is_called = name in module.called_functions
    return isinstance(function, ast.FunctionDef) and not needs_arguments(function) and not is_called


def _list_crew_objects(module: PythonModule) -> Iterator[tuple[_Rank, str | None]]:
    """Yield crews at the top level of a file, callables that make or start one, else None for the file.

    Beside a user interface or a server, only what can be imported without starting that.
    """
    if module.shell is None:
        yield from _list_all_crew_objects(module)
    elif not module.serves_when_imported:
        names = (name for _, name in _list_all_crew_objects(module) if name is not None)
        yield from ((_Rank.FUNCTION_OF_SHELL, name) for name in names)


def _list_all_crew_objects(module: PythonModule) -> Iterator[tuple[_Rank, str | None]]:
    callables = list_crew_callables(module)
    names: list[str] = [*module.crew_variables, *(one.name for one in callables if not one.needs_values)]
    for name in names:
        yield _Rank.CREW_OBJECT, name
    for one in callables:
        if one.needs_values:
            yield _Rank.WITH_ARGUMENTS, one.name
    if module.builds_crew and not callables and not names and not module.crew_classes:
        yield _Rank.WITHOUT_START, None
