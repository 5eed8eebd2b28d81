"""Packages of a project that do not work as plain folders: compiled ones, or ones that read their version."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from crewai_runner.domain.project_inspection.dependencies import Dependencies
from crewai_runner.domain.project_inspection.project_sources import ProjectSources
from crewai_runner.domain.project_inspection.python_module import keyword_of, name_of
from crewai_runner.domain.project_inspection.toml_tables import find_table, read_toml

_COMPILERS = ("maturin", "scikit_build_core", "mesonpy", "enscons", "sipbuild")
_BUILD_TABLES = (
    ("tool", "hatch", "build", "hooks"),
    ("tool", "hatch", "build", "targets", "wheel", "hooks"),
    ("tool", "poetry", "build"),
    ("tool", "pdm", "build"),
)
_SETUP_KEYS = ("ext_modules", "rust_extensions", "cffi_modules", "ext_package")
_READERS = frozenset({"version", "distribution", "metadata", "get_distribution"})
_METADATA_PACKAGES = frozenset({"importlib", "importlib_metadata", "pkg_resources"})
UNKNOWN_VERSION = "0.0.0"


def list_compiled_folders(sources: ProjectSources, dependencies: Dependencies, folder: str) -> list[str]:
    """Return the folders of packages that a build must complete: of the project, and those it requires."""
    return [path for path in (folder, *dependencies.folders) if _is_compiled(sources, path)]


def find_own_package(sources: ProjectSources, dependencies: Dependencies, folder: str) -> str | None:
    """Return `name==version` of the project if its code reads that from the installed package."""
    name = dependencies.name
    if name is None or not any(_reads_metadata(sources, name)):
        return None
    project = read_toml(sources.texts.get(str(PurePosixPath(folder) / "pyproject.toml"), ""))
    written = find_table(project, "project").get("version") or find_table(project, "tool", "poetry").get(
        "version"
    )
    try:
        version = str(Version(str(written)))
    except InvalidVersion:
        version = UNKNOWN_VERSION
    return f"{canonicalize_name(name)}=={version}"


def _is_compiled(sources: ProjectSources, folder: str) -> bool:
    project = read_toml(sources.texts.get(str(PurePosixPath(folder) / "pyproject.toml"), ""))
    backend = find_table(project, "build-system").get("build-backend")
    has_compiler = isinstance(backend, str) and backend.startswith(_COMPILERS)
    has_script = any(find_table(project, *names) for names in _BUILD_TABLES)
    poetry, setuptools = find_table(project, "tool", "poetry"), find_table(project, "tool", "setuptools")
    has_modules = isinstance(poetry.get("build"), str) or bool(setuptools.get("ext-modules"))
    module = sources.modules.get(str(PurePosixPath(folder) / "setup.py"))
    calls = () if module is None else module.calls
    has_setup = any(
        name_of(call.func) == "setup" and keyword_of(call, *_SETUP_KEYS) is not None for call in calls
    )
    return has_compiler or has_script or has_modules or has_setup


def _reads_metadata(sources: ProjectSources, name: str) -> Iterator[bool]:
    """Yield, for each call that reads the metadata of an installed package, whether it is this one."""
    for module in sources.modules.values():
        if module.packages.isdisjoint(_METADATA_PACKAGES):
            continue
        for call in module.calls:
            first = call.args[0] if call.args else None
            if (
                name_of(call.func) in _READERS
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                yield canonicalize_name(first.value) == canonicalize_name(name)
