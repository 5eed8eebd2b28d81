"""What the lines of a declaration mean: packages of the index, folders of the project, or other places."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

WINDOWS_PACKAGES = frozenset(
    {"pywin32", "pypiwin32", "pywinpty", "pyreadline", "pyreadline3", "pywin32-ctypes"}
)
KNOWN_PACKAGES = frozenset({"crewai", "crewai-tools"})
"""Packages that are taken from the index if a project wants them from elsewhere: the name is theirs."""
_CONTROL = re.compile(r"[\r\n\x00]")
_EDITABLE = re.compile(r"^(?:-e|--editable)[ =]\s*")
_EXTRAS = re.compile(r"\[[^\[\]]{0,200}\]$")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,20}:", re.IGNORECASE)


@dataclass(frozen=True)
class Requirements:
    """Requirements by where their packages are."""

    packages: tuple[str, ...] = ()
    """Those of the index, as in PEP 508."""
    folders: tuple[str, ...] = ()
    """Packages that are folders of the project, relative to its root."""
    unavailable: tuple[str, ...] = ()
    """Packages that are elsewhere: in repositories, at addresses, in folders outside of the project."""
    ignored: tuple[str, ...] = ()
    """Lines that are not installed."""


def sort_lines(lines: Iterable[str], folder: PurePosixPath) -> Requirements:
    """Sort the requirements of a declaration in a folder. No part of an address is kept: it may be secret."""
    packages: list[str] = []
    folders: list[str] = []
    unavailable: list[str] = []
    ignored: list[str] = []
    for line in lines:
        place = _EDITABLE.sub("", line, count=1).strip()
        is_editable = place != line.strip()
        if place.startswith(".") or (is_editable and _ADDRESS.match(place) is None):
            found = _find_folder(place, folder)
            (unavailable if found is None else folders).append(found or f"the folder {place[:100]}")
            continue
        try:
            requirement = Requirement(place)
        except InvalidRequirement:
            if _ADDRESS.match(place) is not None:
                unavailable.append(_name_address(place))
            else:
                ignored.append(_CONTROL.sub(" ", line)[:200])
            continue
        name = canonicalize_name(requirement.name)
        if name in WINDOWS_PACKAGES and requirement.marker is None:
            ignored.append(line)
        elif requirement.url is None:
            packages.append(str(requirement))
        elif name in KNOWN_PACKAGES:
            ignored.append(f"{name} @ {requirement.url.partition(':')[0]}")
            packages.append(requirement.name)
        else:
            unavailable.append(name)
    return Requirements(*(tuple(dict.fromkeys(found)) for found in (packages, folders, unavailable, ignored)))


def apply_sources(
    lines: Iterable[str], sources: Mapping[str, object], workspace: Mapping[str, str]
) -> Iterator[str]:
    """Yield lines with the places that `[tool.uv.sources]` names; `workspace` has folders by package."""
    places = {canonicalize_name(name): place for name, place in sources.items()}
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            yield line
            continue
        name = canonicalize_name(requirement.name)
        place = places.get(name)
        written = describe_place(requirement.name, place)
        if isinstance(place, dict) and place.get("workspace") is True and name in workspace:
            written = f"./{workspace[name]}"
        yield written or line


def describe_place(name: str, place: object) -> str | None:
    """Return the line for a package at a place such as `{path = "libs/x"}`; None for one of an index."""
    if not isinstance(place, dict):
        return None
    for key in ("path", "file"):
        if isinstance(place.get(key), str):
            return f"./{place[key]}" if not place[key].startswith("/") else f"{name} @ file:{place[key]}"
    address = place.get("git") or place.get("url")
    return f"{name} @ address:{urlsplit(address).scheme}" if isinstance(address, str) else None


def _find_folder(place: str, folder: PurePosixPath) -> str | None:
    """Return a folder relative to the project's root; None if it is outside."""
    parts: list[str] = []
    for part in (*folder.parts, *PurePosixPath(_EXTRAS.sub("", place)).parts):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {".", "/"}:
            parts.append(part)
    return "/".join(parts) or "."


def _name_address(place: str) -> str:
    """Return the name of the package at an address: that in the fragment, else the last part of the path."""
    _, _, fragment = place.partition("#")
    egg = fragment.partition("egg=")[2].partition("&")[0]
    path = place.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2]
    return _CONTROL.sub(" ", egg or path.partition("@")[0].removesuffix(".git"))[:100] or "a package"
