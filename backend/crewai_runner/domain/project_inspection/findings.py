"""What may keep a project from running here, one sentence each."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from crewai_runner.domain.project import EntryPoint
from crewai_runner.domain.project_inspection.dependencies import CREWAI, Dependencies
from crewai_runner.domain.project_inspection.opened_files import list_opened
from crewai_runner.domain.project_inspection.project_sources import ProjectSources, is_secondary
from crewai_runner.domain.project_inspection.python_module import PythonModule

MAX_WARNINGS = 50
_COMMAND_LINES = frozenset({"typer", "fire"})
"""Those of other packages are given the inputs of the run."""


def list_warnings(
    sources: ProjectSources,
    entries: list[EntryPoint],
    dependencies: Dependencies,
    missing: list[str],
    imported: list[str],
) -> list[str]:
    """Return the warnings about a project whose first entry point is used.

    `missing` and `imported` are the packages that are added for CrewAI and models, and for other imports.
    """
    warnings = list(sources.unread)
    if not entries:
        warnings.append("No entry point was found: no file creates or starts a crew, or is a script.")
    if dependencies.source is None:
        warnings += _describe_undeclared(sources, [*missing, *imported])
    elif missing:
        names = ", ".join(missing)
        reason = "the code imports CrewAI" if CREWAI in missing else "the named models need it"
        warnings.append(f"`{names}` is not among the dependencies, but {reason}: it is added.")
    if imported and dependencies.source is not None:
        names = ", ".join(imported)
        warnings.append(f"`{names}` is not among the dependencies, but the code imports it: it is added.")
    warnings += [
        f"`{line}` in {dependencies.source} is not installed as written: no package of the index."
        for line in dependencies.ignored
    ]
    if dependencies.unavailable:
        warnings.append(
            f"{name_some(dependencies.unavailable)} cannot be installed: it is neither on the package index "
            "nor in the project."
        )
    reachable = (
        sources.list_reachable(entries[0].path) if entries and entries[0].path in sources.modules else []
    )
    modules = [sources.modules[path] for path in reachable]
    if modules and entries[0].name is None and not _starts_something(sources, modules[0]):
        warnings.append(
            f"`{modules[0].path}` starts nothing when it is executed: choose another entry point."
        )
    warnings += _describe_shells(sources, entries)
    warnings += _describe_command_line(modules[:1])
    warnings += _describe_missing_files(sources, modules, entries)
    return list(dict.fromkeys(warnings))[:MAX_WARNINGS]


def _describe_undeclared(sources: ProjectSources, missing: list[str]) -> Iterator[str]:
    """Describe what is installed for a project without a declaration; see `list_missing_packages`."""
    if missing:
        yield (
            f"The project declares no dependencies: only `{', '.join(missing)}` is installed. "
            "Add a requirements.txt if the code imports other packages."
        )
    elif sources.foreign_packages:
        names = name_some(sources.foreign_packages)
        yield f"The project declares no dependencies, and its code imports {names}: add a requirements.txt."


def name_some(names: Iterable[str], limit: int = 10) -> str:
    """Return names as a list in a sentence, at most `limit` of them."""
    listed = sorted(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(f"`{name}`" for name in listed[:limit]) + more


def _starts_something(sources: ProjectSources, module: PythonModule) -> bool:
    is_plain_script = module.path not in sources.importers and module.has_calls
    return module.is_executable or module.shell is not None or is_plain_script


def _describe_shells(sources: ProjectSources, entries: list[EntryPoint]) -> Iterator[str]:
    for path, module in sources.modules.items():
        if module.shell is None or is_secondary(path):
            continue
        if entries and entries[0].path == path:
            yield f"`{path}` is a {module.shell} application: its pages are not shown here."
        elif module.is_executable or module.name in {"app.py", "main.py", "server.py"}:
            yield f"`{path}` is a {module.shell} application: runs do not start it."


def _describe_command_line(modules: list[PythonModule]) -> Iterator[str]:
    for module in modules:
        if module.packages & _COMMAND_LINES:
            yield f"`{module.path}` reads command-line arguments: it is started without any."


def _describe_missing_files(
    sources: ProjectSources, modules: list[PythonModule], entries: list[EntryPoint]
) -> Iterator[str]:
    written = {path for module in modules for path, is_read in list_opened(module) if not is_read}
    for module in modules:
        for path, is_read in list_opened(module):
            if is_read and path not in written and not _exists(sources, path, module, entries):
                yield f"`{module.path}` reads `{path}`, which is not in the archive."


def _exists(sources: ProjectSources, path: str, module: PythonModule, entries: list[EntryPoint]) -> bool:
    name = PurePosixPath(path).name
    folders = (entries[0].working_directory, str(PurePosixPath(module.path).parent), "knowledge", ".")
    is_there = any(str(PurePosixPath(folder) / path) in sources.paths for folder in folders)
    return is_there or any(PurePosixPath(other).name == name for other in sources.paths)
