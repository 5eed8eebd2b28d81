"""Inspects a project: kind, entry points, inputs, environment, models, versions and warnings."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from crewai_runner.domain.project import EntryPoint, ProjectInspection, ProjectKind
from crewai_runner.domain.project_inspection.dependencies import CREWAI, Dependencies, read_dependencies
from crewai_runner.domain.project_inspection.entry_points import find_entry_points, list_project_folders
from crewai_runner.domain.project_inspection.environment_names import find_environment_names
from crewai_runner.domain.project_inspection.findings import list_warnings
from crewai_runner.domain.project_inspection.imported_packages import find_undeclared
from crewai_runner.domain.project_inspection.named_models import (
    find_models,
    find_tools,
    list_missing_packages,
    uses_crewai,
)
from crewai_runner.domain.project_inspection.own_packages import find_own_package, list_compiled_folders
from crewai_runner.domain.project_inspection.project_sources import ProjectSources, read_sources
from crewai_runner.domain.project_inspection.run_inputs import find_inputs
from crewai_runner.domain.project_inspection.working_folders import place_entries
from crewai_runner.domain.workflow_yaml.crewai_files import find_crews

MAX_FOLDERS = 200
"""Folders with declarations of dependencies, in a repository with many projects."""


def inspect_project(files: Mapping[str, bytes], name: str = "project") -> ProjectInspection:
    """Describe a project by its files, by path. Executes nothing, raises nothing for what files contain.

    `name` is used where no file names the project.
    """
    sources = read_sources(files)
    folders = list_project_folders(sources)[:MAX_FOLDERS]
    declared = {folder: read_dependencies(sources.texts, folder) for folder in folders}
    crews, _ = find_crews(sources.texts)
    entries = find_entry_points(sources, declared, [crew.json for crew in crews if crew.json])
    folder = entries[0].working_directory if entries else "."
    entries = place_entries(sources, entries)
    dependencies = declared[folder]
    models = find_models(sources)
    missing = list_missing_packages(models, dependencies, needs_crewai=uses_crewai(sources))
    imported = find_undeclared(sources, entries[0].path, dependencies) if entries else []
    if CREWAI in missing and "crewai-tools" in imported:
        imported.remove("crewai-tools")
    crewai = dependencies.find("crewai")
    return ProjectInspection(
        kind=_find_kind(sources, entries),
        name=dependencies.name or declared["."].name or name,
        entry_points=entries,
        working_directory=folder,
        import_paths=list(dict.fromkeys(_list_import_paths(sources, entries, dependencies, folder))),
        inputs=find_inputs(sources, entries[0]) if entries else [],
        environment_names=find_environment_names(sources),
        models=models,
        tools=find_tools(sources),
        python=dependencies.python,
        crewai=_describe_version(dependencies, str(crewai.specifier) if crewai is not None else None),
        missing_packages=[*missing, *imported],
        compiled_folders=list_compiled_folders(sources, dependencies, folder),
        own_package=find_own_package(sources, dependencies, folder),
        warnings=list_warnings(sources, entries, dependencies, missing, imported),
    )


def _describe_version(dependencies: Dependencies, declared: str | None) -> str | None:
    """Return the locked version, else the declared ones."""
    locked = dependencies.locked.get("crewai")
    return f"=={locked}" if locked is not None else declared or None


def _find_kind(sources: ProjectSources, entries: list[EntryPoint]) -> ProjectKind:
    """Return the kind of what the first entry point leads to."""
    if not entries or entries[0].kind is not ProjectKind.SCRIPT:
        return entries[0].kind if entries else ProjectKind.SCRIPT
    modules = [sources.modules[path] for path in sources.list_reachable(entries[0].path)]
    if any(module.flow_classes for module in modules):
        return ProjectKind.FLOW
    is_class = any(module.crew_classes for module in modules)
    return ProjectKind.CREW_CLASS if is_class else ProjectKind.SCRIPT


def _list_import_paths(
    sources: ProjectSources, entries: list[EntryPoint], dependencies: Dependencies, folder: str
) -> Iterator[str]:
    """Yield the folders that hold the project's modules: its root, `src`, and others that imports need."""
    root = PurePosixPath(folder)
    folders = {str(parent) for path in sources.paths for parent in PurePosixPath(path).parents}
    yield folder
    for name in ("src", *dependencies.package_folders):
        if str(root / name) in folders:
            yield str(root / name)
    for local in dependencies.folders:
        yield from (path for path in (local, f"{local}/src") if path in folders)
    for entry in entries[:1]:
        home = PurePosixPath(entry.path).parent
        if str(home / "__init__.py") not in sources.paths:
            yield str(home)
        for path in sources.list_reachable(entry.path) if entry.path in sources.modules else []:
            yield from _list_roots(sources, path)


def _list_roots(sources: ProjectSources, path: str) -> Iterator[str]:
    """Yield the folder that each module of the project is imported from, by absolute name, in a module."""
    for imported in sources.modules[path].imports:
        target = sources.resolve(imported, path)
        if target is None or imported.level:
            continue
        names = [f"{imported.module}.{imported.name}", imported.module]
        stem = target.removesuffix(".py").removesuffix("/__init__")
        for name in names:
            suffix = name.replace(".", "/")
            if stem == suffix or stem.endswith(f"/{suffix}"):
                yield stem.removesuffix(suffix).rstrip("/") or "."
                break
