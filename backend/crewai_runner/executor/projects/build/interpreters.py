"""Finds the Python interpreters of this machine, and chooses the one that a project wants."""

import asyncio
import itertools
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed

PROBE_SECONDS = 20.0
MAX_CANDIDATES = 60
_MINIMUM = (3, 10)
_PREFERRED_MINORS = ("3.12", "3.11", "3.13", "3.10")
"""Every CrewAI from 0.70 runs on 3.12, and most old packages have wheels for it or for 3.11."""
_MINOR = re.compile(r"3\.\d{1,3}")
_NAME = re.compile(r"python3(\.\d+)?$")
_PATTERNS = (
    ".pyenv/versions/*/bin/python3",
    ".local/share/uv/python/*/bin/python3",
    ".local/share/mise/installs/python/*/bin/python3",
)
_PROBE = (
    "import sys, os; print('.'.join(map(str, sys.version_info[:3])), sys.version_info.releaselevel, "
    "sys.implementation.name, sys.base_prefix == sys.prefix, os.path.realpath(sys.executable), sep='\\t')"
)


@dataclass(frozen=True, slots=True, order=True)
class Interpreter:
    """A CPython of this machine, by its real path."""

    version: str
    path: Path

    @property
    def minor(self) -> str:
        """`3.12` of `3.12.1`."""
        return self.version.rpartition(".")[0]


async def find_interpreters() -> list[Interpreter]:
    """Return the usable interpreters, one for each version: of several, the first on the search path."""
    candidates = await asyncio.to_thread(_list_candidates)
    found = await asyncio.gather(*map(_probe, candidates))
    by_version: dict[str, Interpreter] = {}
    for interpreter in filter(None, found):
        by_version.setdefault(interpreter.version, interpreter)
    return list(by_version.values())


def rank_interpreters(
    found: Iterable[Interpreter], wanted: str | None, pinned: str | None
) -> list[Interpreter]:
    """Return the interpreters that fit, best first; Raises EnvironmentBuildFailed if none does.

    `wanted` is a specifier such as `>=3.10,<3.13`, `pinned` the version in a `.python-version`.
    """
    known = list(found)
    specifiers = _parse(wanted)
    fitting = [one for one in known if specifiers.contains(one.version, prereleases=True)]
    if not fitting:
        # `<=3.13` is meant to include 3.13.1.
        fitting = [one for one in known if specifiers.contains(one.minor, prereleases=True)]
    if not fitting:
        installed = ", ".join(sorted(one.version for one in known)) or "none"
        message = (
            f"The project wants Python {wanted}; installed are: {installed}. Install one that fits on every "
            "machine that builds and runs projects, as by `uv python install 3.13`, or "
            "widen requires-python."
        )
        raise EnvironmentBuildFailed(BuildFailure.NO_PYTHON, message)
    return sorted(fitting, key=lambda one: _order(one, (pinned or "").strip()))


def read_minor(pinned: str) -> str | None:
    """Return `3.12` of a pin such as `3.12.1` or `cpython-3.12.1`."""
    match = _MINOR.search(pinned)
    return None if match is None else match[0]


def _order(interpreter: Interpreter, pinned: str) -> tuple[bool, int, int, list[int]]:
    """The pinned version first, then the nearest ones, then those that most packages have wheels for."""
    minor, wanted = interpreter.minor, read_minor(pinned)
    rank = _PREFERRED_MINORS.index(minor) if minor in _PREFERRED_MINORS else len(_PREFERRED_MINORS)
    distance = abs(_number(minor) - _number(wanted)) if wanted is not None else 0
    newest_first = [-int(part) for part in interpreter.version.split(".")]
    return not pinned.endswith(interpreter.version), distance, rank, newest_first


def _number(minor: str) -> int:
    """Return 12 of `3.12`."""
    return int(minor.partition(".")[2])


def _parse(wanted: str | None) -> SpecifierSet:
    try:
        return SpecifierSet(wanted or "")
    except InvalidSpecifier:
        return SpecifierSet()


def _list_candidates() -> list[Path]:
    """Return files that may be interpreters. Shims of version managers are skipped: they need a shell."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    home = Path(os.environ.get("PYENV_ROOT", ""), "versions") if os.environ.get("PYENV_ROOT") else None
    places = itertools.chain(
        [Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")],
        *(_list_programs(folder) for folder in folders if folder.name != "shims"),
        *(sorted(Path.home().glob(pattern)) for pattern in _PATTERNS),
        sorted(home.glob("*/bin/python3")) if home is not None else [],
        sorted(Path("/opt").glob("python*/bin/python3")),
        *(_list_programs(folder) for folder in (Path("/usr/local/bin"), Path("/usr/bin"))),
    )
    real = (Path(os.path.realpath(place)) for place in places if place.is_file())
    return list(itertools.islice(dict.fromkeys(real), MAX_CANDIDATES))


def _list_programs(folder: Path) -> Iterator[Path]:
    try:
        programs = sorted(folder.iterdir())
    except OSError:
        return
    yield from (program for program in programs if _NAME.match(program.name))


async def _probe(path: Path) -> Interpreter | None:
    """Ask a program for its version; None if it is no usable CPython."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(path),
            "-I",
            "-S",
            "-c",
            _PROBE,
            env={},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    fields = output.decode("utf-8", "replace").strip().split("\t")
    if len(fields) != 5 or fields[1:4] != ["final", "cpython", "True"]:
        return None
    version = fields[0]
    if tuple(map(int, version.split(".")))[:2] < _MINIMUM:
        return None
    return Interpreter(version, Path(fields[4]))
