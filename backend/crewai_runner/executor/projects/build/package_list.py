"""The packages of an environment with exact versions and hashes, as a requirements file lists them."""

import contextlib
import re
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.interpreters import Interpreter

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(\[[^\]]*\])?==([^\s;\\]+)")
_SEPARATOR = " \\\n    --hash=sha256:"


@dataclass(frozen=True, slots=True)
class BuiltWheel:
    """A wheel that was built from source code: `source` and `sha256` are the hashes of source and wheel."""

    name: str
    """As in `canonicalize_name`."""
    version: str
    source: str
    file: Path
    sha256: str

    @property
    def pin(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class PackageList:
    """The packages of an environment: `text` is a requirements file with versions and hashes.

    A package that was built from source has the hash of its source in `text`, and its wheel in `wheels`.
    """

    text: str
    interpreter: Interpreter
    wheels: tuple[BuiltWheel, ...] = ()
    own: tuple[BuiltWheel, ...] = ()
    """Those of `wheels` that are packages of the project itself."""

    @property
    def install_text(self) -> str:
        """The list that uv installs: with the hashes of the wheels that were built."""
        hashes = {wheel.pin: (wheel.source, wheel.sha256) for wheel in self.wheels}
        lines = []
        for entry in split_entries(self.text):
            source, built = hashes.get(name_pin(entry) or "", ("", ""))
            lines.append(entry.replace(source, built) if source else entry)
        return "".join(f"{line}\n" for line in lines)

    @property
    def has_hashes(self) -> bool:
        """Return whether every package has a hash; in a lock file of an index without them none has."""
        return all("--hash=" in entry for entry in split_entries(self.text))

    def find_version(self, name: str) -> str | None:
        for line in self.text.splitlines():
            match = _PINNED.match(line)
            if match and canonicalize_name(match[1]) == name:
                return match[3]
        return None

    def with_wheels(self, wheels: tuple[BuiltWheel, ...]) -> "PackageList":
        """Return the list in which these wheels take the place of what it has for their packages."""
        names = {wheel.name for wheel in wheels}
        entries = [entry for entry in split_entries(self.text) if _find_name(entry) not in names]
        entries += [f"{wheel.pin}{_SEPARATOR}{wheel.source}" for wheel in wheels]
        kept = tuple(wheel for wheel in self.wheels if wheel.name not in names)
        return replace(self, text="".join(f"{entry}\n" for entry in sorted(entries)), wheels=(*kept, *wheels))

    def with_own_wheels(self, wheels: tuple[BuiltWheel, ...]) -> "PackageList":
        """Return the list with wheels of the project itself."""
        return replace(self.with_wheels(wheels), own=(*self.own, *wheels))


def split_entries(text: str) -> list[str]:
    """Return the entries of a list; an entry has a line for each hash."""
    joined = text.replace("\\\n", "\\\r")
    return [entry.replace("\\\r", "\\\n") for entry in joined.split("\n") if entry.strip()]


def name_pin(entry: str) -> str | None:
    """Return `name==version` of an entry, None if it has no exact version."""
    match = _PINNED.match(entry)
    return f"{canonicalize_name(match[1])}=={match[3]}" if match else None


def keep_packages(text: str, log: BuildLog) -> str:
    """Return the lines of a requirements file that name packages of the index, with their hashes.

    Addresses and local folders are left out: only the index is contacted, and no project is installed.
    """
    kept: list[str] = []
    for entry in text.replace("\\\n", " ").splitlines():
        line = entry.strip()
        if not line or line.startswith("#"):
            continue
        requirement, *hashes = line.split(" --hash=")
        if is_pinned(requirement):
            kept.append(" \\\n    --hash=".join([requirement.strip(), *(one.strip() for one in hashes)]))
        else:
            log.write(f"Not installed, because it is no package of the index: {requirement.strip()[:200]}")
    return "".join(f"{line}\n" for line in sorted(kept))


def list_addressed(text: str) -> set[str]:
    """Return the names of the packages in a requirements file that are at an address."""
    found: set[str] = set()
    for entry in split_entries(text):
        with contextlib.suppress(InvalidRequirement):
            requirement = Requirement(entry.partition(" \\")[0])
            if requirement.url is not None:
                found.add(canonicalize_name(requirement.name))
    return found


def is_pinned(line: str) -> bool:
    """Return whether a line is a package of the index with one exact version."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return False
    [*specifiers] = requirement.specifier
    return requirement.url is None and len(specifiers) == 1 and specifiers[0].operator in {"==", "==="}


def _find_name(entry: str) -> str | None:
    pin = name_pin(entry)
    return None if pin is None else pin.partition("==")[0]
