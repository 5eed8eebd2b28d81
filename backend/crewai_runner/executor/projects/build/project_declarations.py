"""Reads what the files of an unpacked project declare. No link is followed."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from crewai_runner.core.generated_folders import GENERATED_FOLDERS
from crewai_runner.core.text import decode_text
from crewai_runner.domain.project_inspection.dependencies import list_included
from crewai_runner.domain.project_inspection.findings import name_some
from crewai_runner.domain.project_inspection.project_sources import MAX_PYTHON_FILES, read_sources
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed

_READ_FILES = (
    *("pyproject.toml", "setup.py", "setup.cfg", "Pipfile"),
    *("uv.lock", "poetry.lock", ".python-version"),
)
_MAX_FILE_BYTES = 8 * 1024**2
_MAX_FILES = 300
_MAX_INCLUDED = 100
"""Files that one requirements file may include."""


def read_declarations(root: Path) -> dict[str, str]:
    """Return the files in a folder that declare dependencies, by their relative path. No link is followed.

    Files that requirements files include are among them, whatever their names are.
    """
    texts: dict[str, str] = {}
    waiting = list(_list_declaring(root))
    for name in waiting:
        text = None if name in texts or len(texts) >= _MAX_FILES else _read_text(root, name)
        if text is not None:
            texts[name] = text
            included = list_included(name, text) if name.endswith((".txt", ".in")) else []
            waiting += [other for other in included if not other.startswith(("/", ".."))][:_MAX_INCLUDED]
    return texts


def _list_declaring(root: Path) -> Iterator[str]:
    """Yield the relative paths of the files whose names say that they declare dependencies."""
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in GENERATED_FOLDERS)
        for name in sorted(names):
            path = Path(parent, name)
            is_list = (
                path.suffix in {".txt", ".in"} and "requirements" in f"{path.parent.name}/{name}".lower()
            )
            if name in _READ_FILES or is_list:
                yield path.relative_to(root).as_posix()


def _read_text(root: Path, name: str) -> str | None:
    """Return the text of a file; None if it is none, a link, or too long."""
    path = root / name
    try:
        if path.resolve() != root.resolve() / name or not path.is_file():
            return None
        return decode_text(path.read_bytes()) if path.stat().st_size <= _MAX_FILE_BYTES else None
    except (OSError, ValueError):
        return None


def describe_unavailable(names: tuple[str, ...]) -> EnvironmentBuildFailed:
    """Return the error about packages that are neither on the index nor in the project."""
    message = (
        f"The project requires {name_some(names)} from a repository, an address or a folder outside of it. "
        "Builds contact the package index only: publish it there and require a version, or put its "
        "source into a folder of the project and require that: `./libs/name` in requirements.txt, "
        '`path = "libs/name"` in [tool.uv.sources] or in Poetry\'s dependencies.'
    )
    return EnvironmentBuildFailed(BuildFailure.NOT_ON_INDEX, message)


def check_undeclared(folder: Path) -> None:
    """Check a project without dependencies. Raises EnvironmentBuildFailed if its code imports packages."""
    foreign = _list_foreign_packages(folder)
    if foreign:
        message = (
            f"The project declares no dependencies, and its code imports {name_some(foreign)}. "
            "Add a requirements.txt or a pyproject.toml."
        )
        raise EnvironmentBuildFailed(BuildFailure.NO_SOLUTION, message)


def _list_foreign_packages(folder: Path) -> frozenset[str]:
    """Return the import names of the packages that the code in a folder needs. Links are not followed."""
    paths = (path for path in sorted(folder.rglob("*.py")) if path.is_file() and not path.is_symlink())
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in itertools.islice(paths, MAX_PYTHON_FILES)
    }
    return read_sources(files).foreign_packages
