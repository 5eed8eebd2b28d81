"""The files of a project that are read, and how its own modules import each other."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from crewai_runner.core.environment_file import is_environment_example
from crewai_runner.core.generated_folders import GENERATED_FOLDERS
from crewai_runner.core.text import decode_text
from crewai_runner.domain.project_inspection.dependencies import is_requirements_file, list_included
from crewai_runner.domain.project_inspection.python_module import ImportedName, PythonModule
from crewai_runner.domain.workflow_yaml.python_project.source import MAX_SOURCE_LENGTH, NotData, parse_source

MAX_PYTHON_FILES = 1_000
MAX_PYTHON_BYTES = 4 * 1024**2
MAX_TEXT_BYTES = 16 * 1024**2
"""The size of all files that are read."""
_MAX_LOCK_BYTES = 8 * 1024**2
_READ_ENDINGS = frozenset({".py", ".yaml", ".yml", ".json", ".jsonc"})
_READ_NAMES = frozenset(
    {"pyproject.toml", "uv.lock", "poetry.lock", "setup.cfg", "Pipfile", ".python-version"}
)
_MAX_REQUIREMENTS_BYTES = 256 * 1024
_LOCKS = frozenset({"uv.lock", "poetry.lock"})
_LEFT_OUT_FOLDERS = GENERATED_FOLDERS | {"build", "dist"}
_STANDARD_LIBRARY = sys.stdlib_module_names | {""}
_SECONDARY_FOLDERS = frozenset(
    {"tests", "test", "docs", "examples", "example", "experiments", "experiment", "notebooks", "benchmarks"}
)
"""Folders whose files are read, but start a run only if nothing else does."""


@dataclass(frozen=True)
class ProjectSources:
    """The texts of a project's files by path, and its Python files."""

    paths: frozenset[str]
    """All files, also those that are not read."""
    texts: Mapping[str, str]
    modules: Mapping[str, PythonModule]
    unread: tuple[str, ...] = ()
    """One sentence for each file that should have been read."""

    @cached_property
    def importers(self) -> frozenset[str]:
        """The paths of modules that import CrewAI, directly or through modules of the project."""
        found = {path for path, module in self.modules.items() if "crewai" in module.packages}
        waiting = list(found)
        importing: dict[str, list[str]] = {}
        for path in self.modules:
            for imported in self.list_own_imports(path):
                importing.setdefault(imported, []).append(path)
        while waiting:
            for path in importing.get(waiting.pop(), ()):
                if path not in found:
                    found.add(path)
                    waiting.append(path)
        return frozenset(found)

    @cached_property
    def foreign_packages(self) -> frozenset[str]:
        """The import names of what is neither the project's own nor in Python's standard library."""
        return frozenset(
            imported.package
            for path, module in self.modules.items()
            if not is_secondary(path)
            for imported in module.imports
            if imported.package not in _STANDARD_LIBRARY and self.resolve(imported, path) is None
        )

    def list_own_imports(self, path: str) -> list[str]:
        """Return the paths of the project's modules that a module imports."""
        found = (self.resolve(imported, path) for imported in self.modules[path].imports)
        return list(dict.fromkeys(target for target in found if target is not None))

    def list_reachable(self, path: str) -> list[str]:
        """Return a module's path and those of the project's modules that it needs, in order of distance."""
        found = {path: None}
        for current in (order := [path]):
            for imported in self.list_own_imports(current):
                if imported not in found:
                    found[imported] = None
                    order.append(imported)
        return order

    def resolve(self, imported: ImportedName, importer: str) -> str | None:
        """Return the path of the project's module that an import refers to."""
        names = [f"{imported.module}.{imported.name}".strip("."), imported.module]
        for name in filter(None, names):
            target = self._find_module(name.replace(".", "/"), importer, imported.level)
            if target is not None:
                return target
        return None

    def find_module(self, dotted: str, folder: str) -> str | None:
        """Return the path of a module by its absolute name: of several, the one nearest to `folder`."""
        return self._find_module(dotted.replace(".", "/"), str(PurePosixPath(folder) / "_"), 0)

    def _find_module(self, name: str, importer: str, level: int) -> str | None:
        if level:
            folder = PurePosixPath(importer).parents[min(level, len(PurePosixPath(importer).parents)) - 1]
            wanted = [str(folder / f"{name}.py"), str(folder / name / "__init__.py")]
            return next((path for path in wanted if path in self.modules), None)
        candidates = self._by_suffix.get(name, ())
        return max(candidates, key=lambda path: _count_common_parts(path, importer), default=None)

    @cached_property
    def _by_suffix(self) -> dict[str, list[str]]:
        """The paths of modules by each name that they may be imported under."""
        found: dict[str, list[str]] = {}
        for path in self.modules:
            file = PurePosixPath(path)
            parts = file.parent.parts if file.name == "__init__.py" else (*file.parent.parts, file.stem)
            for start in range(len(parts)):
                found.setdefault("/".join(parts[start:]), []).append(path)
        return found


def read_sources(files: Mapping[str, bytes]) -> ProjectSources:
    """Read the files of a project that describe it, by path. Files beyond the limits are named as unread."""
    texts: dict[str, str] = {}
    modules: dict[str, PythonModule] = {}
    unread: list[str] = []
    size, python_size = 0, 0
    for path in _list_readable(files):
        is_python = path.endswith(".py")
        size += len(files[path])
        python_size += len(files[path]) if is_python else 0
        is_full = len(modules) >= MAX_PYTHON_FILES or python_size > MAX_PYTHON_BYTES
        if size > MAX_TEXT_BYTES or (is_python and is_full):
            unread.append("The project is too large to inspect: some of its files were not read.")
            break
        limit = _MAX_LOCK_BYTES if PurePosixPath(path).name in _LOCKS else 4 * MAX_SOURCE_LENGTH
        try:
            if len(files[path]) > limit:
                raise NotData("It is too long.")
            texts[path] = decode_text(files[path])
            if is_python:
                modules[path] = PythonModule(path, parse_source(texts[path]))
        except UnicodeDecodeError:
            unread.append(f"`{path}` was not read: it is not UTF-8 text.")
        except NotData as error:
            unread.append(f"`{path}` was not read: {error}")
    return ProjectSources(frozenset(files), texts, modules, tuple(unread))


def is_secondary(path: str) -> bool:
    """Return whether a file belongs to tests, documentation or examples."""
    file = PurePosixPath(path)
    is_test = (
        file.name.startswith(("test_", "demo_", "example_"))
        or file.stem.endswith("_test")
        or file.name == "conftest.py"
    )
    return is_test or not _SECONDARY_FOLDERS.isdisjoint(map(str.lower, file.parts[:-1]))


def _list_readable(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the paths to read, outermost first, without those of installed packages."""
    installed = {
        str(PurePosixPath(path).parent.parent) for path in files if path.endswith(".dist-info/METADATA")
    }
    included = _find_included(files)
    for path in sorted(files, key=lambda path: (is_secondary(path), path.count("/"), path)):
        file = PurePosixPath(path)
        is_hidden = any(part.startswith(".") or part in _LEFT_OUT_FOLDERS for part in file.parts[:-1])
        is_installed = not installed.isdisjoint(map(str, file.parents))
        is_wanted = _is_read(file) or is_environment_example(file.name) or path in included
        if not is_hidden and not is_installed and is_wanted:
            yield path


def _count_common_parts(path: str, other: str) -> int:
    parts = zip(PurePosixPath(path).parts, PurePosixPath(other).parts, strict=False)
    return next((number for number, (one, two) in enumerate(parts) if one != two), 99)


def _find_included(files: Mapping[str, bytes]) -> set[str]:
    """Return the files that requirements files include, whatever their names are."""
    waiting = [path for path in files if is_requirements_file(PurePosixPath(path))]
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        try:
            text = decode_text(files[path][:_MAX_REQUIREMENTS_BYTES])
        except UnicodeDecodeError:
            continue
        new = {other for other in list_included(path, text) if other in files} - found
        found |= new
        waiting += new
    return found


def _is_read(file: PurePosixPath) -> bool:
    return file.suffix in _READ_ENDINGS or file.name in _READ_NAMES or is_requirements_file(file)
