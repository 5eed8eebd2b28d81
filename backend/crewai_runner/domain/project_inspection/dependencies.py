"""Which packages and which Python a project wants, from its declarations and lock files."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from crewai_runner.domain.project_inspection.optional_groups import list_groups_with_crewai
from crewai_runner.domain.project_inspection.poetry_requirements import read_poetry, translate_version
from crewai_runner.domain.project_inspection.requirement_lines import apply_sources, sort_lines
from crewai_runner.domain.project_inspection.setup_files import (
    Declared,
    read_setup_code,
    read_setup_config,
)
from crewai_runner.domain.project_inspection.toml_tables import find_table, read_toml

CREWAI = "crewai[tools]"
"""The requirement of projects that use CrewAI and do not declare it."""
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"(?<=\s)--hash[= ]\S+")
_MAX_FOLDERS = 50
"""Packages of one project that are folders of it."""


@dataclass(frozen=True)
class Dependencies:
    """What a project declares. Paths are relative to the root of the texts."""

    name: str | None = None
    python: str | None = None
    preferred_python: str | None = None
    """The version in a `.python-version` or a `Pipfile`, which is used if it is installed."""
    requirements: tuple[str, ...] = ()
    """As in PEP 508."""
    constraints: tuple[str, ...] = ()
    """Versions from a lock file of another tool: `crewai==0.86.0`."""
    source: str | None = None
    """The file that declares the requirements."""
    lock: str | None = None
    """The `uv.lock`, if there is one; if other files have the requirements, one that has them all."""
    lock_options: tuple[str, ...] = ()
    """What `uv export` needs to list the requirements, if they are those of a group."""
    locked: Mapping[str, str] = field(default_factory=dict)
    """Version by package, from any lock file."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """`package.module:function` by the name of a command."""
    kind: str | None = None
    """The `type` in `[tool.crewai]`: `crew` or `flow`."""
    package_folders: tuple[str, ...] = ()
    """Folders that packages are in, beside the project's folder and `src`."""
    folders: tuple[str, ...] = ()
    """Folders of the project that are packages which it requires; `requirements` has what these require."""
    unavailable: tuple[str, ...] = ()
    """Packages that are neither on an index nor in the project."""
    ignored: tuple[str, ...] = ()
    """Lines that are not requirements of packages on an index."""

    def find(self, name: str) -> Requirement | None:
        """Return the requirement of a package."""
        for text in self.requirements:
            requirement = Requirement(text)
            if canonicalize_name(requirement.name) == name:
                return requirement
        return None


def read_dependencies(texts: Mapping[str, str], folder: str = ".") -> Dependencies:
    """Read what the project in a folder declares: pyproject.toml, else requirements, setup files, Pipfile.

    Packages that are folders of the project add their own requirements. A folder without requirements has
    those of the nearest folder above it.
    """
    own = _read_folder(texts, folder)
    if own.source is None:
        above = (_read_folder(texts, str(parent)) for parent in PurePosixPath(folder).parents)
        outer = next((one for one in above if one.source is not None), own)
        own = replace(
            outer,
            name=own.name or outer.name,
            python=own.python or outer.python,
            preferred_python=own.preferred_python or outer.preferred_python,
            scripts=own.scripts,
            kind=own.kind,
            package_folders=own.package_folders,
        )
    found, waiting = {folder: own}, list(own.folders)
    while waiting and len(found) <= _MAX_FOLDERS:
        path = waiting.pop(0)
        if path not in found:
            found[path] = _read_folder(texts, path)
            waiting += found[path].folders
    everything = list(found.values())
    return replace(
        own,
        requirements=tuple(dict.fromkeys(line for one in everything for line in one.requirements)),
        folders=tuple(path for path in found if path != folder),
        unavailable=tuple(dict.fromkeys(name for one in everything for name in one.unavailable)),
    )


def _read_folder(texts: Mapping[str, str], folder: str) -> Dependencies:
    root = PurePosixPath(folder)
    project = read_toml(texts.get(str(root / "pyproject.toml"), ""))
    locked = _read_locked(texts, root)
    declarations = list(_list_declarations(texts, root, project))
    found = _choose_requirements(declarations)
    sources = find_table(project, "tool", "uv", "sources")
    written = apply_sources(found.lines, sources, _find_workspace(texts, root, sources))
    sorted_lines = sort_lines(written, root)
    own, poetry = find_table(project, "project"), find_table(project, "tool", "poetry")
    python = own.get("requires-python") or translate_version(find_table(poetry, "dependencies").get("python"))
    commands = {name: target for one in declarations for name, target in one.scripts.items()}
    scripts = {**commands, **find_table(poetry, "scripts"), **find_table(own, "scripts")}
    names = (own.get("name"), poetry.get("name"), *(declared.name for declared in declarations))
    name = next(filter(None, names), None)
    lock = str(root / "uv.lock") if "project" in project else ""
    is_of_project = found.source in {None, str(root / "pyproject.toml")}
    has_uv_lock = lock in texts and (is_of_project or _has_all(locked, sorted_lines.packages))
    return Dependencies(
        name=name if isinstance(name, str) else None,
        python=python if isinstance(python, str) else found.python,
        preferred_python=_find_preferred_python(texts, root),
        requirements=sorted_lines.packages,
        constraints=() if has_uv_lock else tuple(f"{name}=={version}" for name, version in locked.items()),
        source=found.source,
        lock=lock if has_uv_lock else None,
        lock_options=found.lock_options,
        locked=locked,
        scripts={key: value for key, value in scripts.items() if isinstance(value, str)},
        kind=find_table(project, "tool", "crewai").get("type"),
        package_folders=(
            *_list_package_folders(project),
            *(folder for declared in declarations for folder in declared.package_folders),
        ),
        folders=sorted_lines.folders,
        unavailable=sorted_lines.unavailable,
        ignored=sorted_lines.ignored,
    )


def _has_all(locked: Mapping[str, str], requirements: Iterable[str]) -> bool:
    """Return whether a lock file has the packages of all requirements."""
    names = set(map(canonicalize_name, locked))
    return all(canonicalize_name(Requirement(line).name) in names for line in requirements)


def _find_workspace(
    texts: Mapping[str, str], root: PurePosixPath, sources: Mapping[str, Any]
) -> dict[str, str]:
    """Return the folders of packages by name, relative to `root`, if a source is in a workspace of uv."""
    if not any(isinstance(place, dict) and place.get("workspace") for place in sources.values()):
        return {}
    folders: dict[str, str] = {}
    for path, text in texts.items():
        file = PurePosixPath(path)
        name = find_table(read_toml(text), "project").get("name") if file.name == "pyproject.toml" else None
        if isinstance(name, str):
            folders[canonicalize_name(name)] = file.parent.relative_to(root, walk_up=True).as_posix()
    return folders


def _find_preferred_python(texts: Mapping[str, str], root: PurePosixPath) -> str | None:
    version = texts.get(str(root / ".python-version"), "").strip().partition("\n")[0]
    requires = find_table(read_toml(texts.get(str(root / "Pipfile"), "")), "requires")
    return version or str(requires.get("python_version", "")) or None


def _choose_requirements(declarations: list[Declared]) -> Declared:
    """Return the first declaration with requirements; one that names CrewAI is preferred."""
    found = [declared for declared in declarations if declared.lines]
    named = (declared for declared in found if any(line.startswith("crewai") for line in declared.lines))
    return next(named, found[0] if found else Declared())


def _list_declarations(
    texts: Mapping[str, str], root: PurePosixPath, project: dict[str, Any]
) -> Iterator[Declared]:
    path = str(root / "pyproject.toml")
    listed = find_table(project, "project").get("dependencies")
    own = (
        Declared(path, tuple(item for item in listed if isinstance(item, str)))
        if isinstance(listed, list)
        else Declared()
    )
    poetry = Declared(path, tuple(read_poetry(find_table(project, "tool", "poetry", "dependencies"))))
    yield from (own, poetry)
    folders = (root, root / "requirements")
    files = sorted(
        (path for path in texts if PurePosixPath(path).parent in folders and "requirements" in path.lower()),
        key=lambda path: (
            PurePosixPath(path).name != "requirements.txt",
            "dev" in path or "test" in path,
            path,
        ),
    )
    for path in files:
        if path.endswith((".txt", ".in")):
            yield Declared(path, tuple(_read_requirements(texts, path)))
    path = str(root / "setup.py")
    yield read_setup_code(path, texts.get(path, ""))
    path = str(root / "setup.cfg")
    yield read_setup_config(path, texts.get(path, ""))
    path = str(root / "Pipfile")
    packages = find_table(read_toml(texts.get(path, "")), "packages")
    yield Declared(path, tuple(read_poetry(packages)))
    path = str(root / "pyproject.toml")
    yield from list_groups_with_crewai(path, project, (*own.lines, *poetry.lines))


def is_requirements_file(path: PurePosixPath) -> bool:
    """Return whether a file is a list of requirements by its name or its folder."""
    is_list = path.suffix in {".txt", ".in"}
    return is_list and ("requirements" in path.name or path.parent.name == "requirements")


def list_included(path: str, text: str) -> list[str]:
    """Return the paths of the files that a requirements file includes with `-r`."""
    return [other for line in _list_lines(text) if (other := _find_included(path, line)) is not None]


def _read_requirements(texts: Mapping[str, str], path: str) -> Iterator[str]:
    """Yield the requirements of a file and of the files that it includes, each of them once.

    A line that includes a file which is not there is yielded as it is.
    """
    waiting = [path]
    known = {path}
    while waiting:
        current = waiting.pop(0)
        for line in _list_lines(texts[current]):
            other = _find_included(current, line)
            if other is None or other not in texts:
                yield line
            elif other not in known:
                known.add(other)
                waiting.append(other)


def _list_lines(text: str) -> Iterator[str]:
    """Yield the lines of a requirements file that are not empty, without comments and hashes."""
    for raw in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        if line := _HASH.sub("", _COMMENT.sub("", raw)).strip():
            yield line


def _find_included(path: str, line: str) -> str | None:
    if not line.startswith("-"):
        return None
    option, _, rest = line.replace("=", " ", 1).partition(" ")
    if line.startswith("-r") and option != "-r":  # without a space
        option, rest = "-r", line[2:]
    is_included = option in {"-r", "--requirement"}
    return posixpath.normpath(PurePosixPath(path).parent / rest.strip()) if is_included else None


def _read_locked(texts: Mapping[str, str], root: PurePosixPath) -> dict[str, str]:
    for name in ("uv.lock", "poetry.lock"):
        packages = read_toml(texts.get(str(root / name), "")).get("package")
        if isinstance(packages, list):
            return {
                item["name"]: item["version"]
                for item in packages
                if isinstance(item, dict)
                and isinstance(item.get("name"), str)
                and isinstance(item.get("version"), str)
                and not {"virtual", "editable"} & find_table(item, "source").keys()
            }
    return {}


def _list_package_folders(project: dict[str, Any]) -> Iterator[str]:
    """Yield the folders of packages that build settings name."""
    where = find_table(project, "tool", "setuptools", "packages", "find").get("where")
    yield from (str(item) for item in (where if isinstance(where, list) else []))
    for mapped in find_table(project, "tool", "setuptools", "package-dir").values():
        yield str(mapped)
    packages = find_table(project, "tool", "hatch", "build", "targets", "wheel").get("packages")
    for item in packages if isinstance(packages, list) else []:
        yield str(PurePosixPath(str(item)).parent)
    packages = find_table(project, "tool", "poetry").get("packages")
    for item in packages if isinstance(packages, list) else []:
        if isinstance(item, dict) and isinstance(item.get("from"), str):
            yield item["from"]
