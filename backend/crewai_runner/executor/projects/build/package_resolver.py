"""Decides which packages an environment gets: a list with exact versions and hashes, made by uv."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from crewai_runner.domain.project_inspection.dependencies import Dependencies
from crewai_runner.domain.project_inspection.optional_groups import DEFAULT_GROUP
from crewai_runner.domain.project_inspection.requirement_lines import KNOWN_PACKAGES
from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.failures import (
    BuildFailure,
    EnvironmentBuildFailed,
    explain_output,
)
from crewai_runner.executor.projects.build.interpreters import Interpreter
from crewai_runner.executor.projects.build.package_list import PackageList, keep_packages, list_addressed
from crewai_runner.executor.projects.build.source_offers import MakeSources, SourceOffers
from crewai_runner.executor.projects.build.uv_command import Uv

EARLIEST_CAP = date(2024, 12, 10)
"""With an earlier one CrewAI 0.70 has no solution: the index lost versions that it needs."""
FLOORS = {"crewai": "0.70", "crewai-tools": "0.12"}
"""Lower bounds for requirements without a version: a resolver may otherwise choose a very old release."""
BROKEN_RELEASES = "crewai-tools" + ",".join(f"!=0.25.{number}" for number in range(7))
"""Releases that cannot be imported without a package that they do not require: they are only used if no
other one meets the requirements."""
SETUPTOOLS = "setuptools<81"
"""Has `pkg_resources`, which old packages import, but do not require: up to 3.11, `venv` installed it."""
MAX_ATTEMPTS = 40
_OUTPUT = "resolved.txt"
_NEEDS_WHEEL = re.compile(r"Wheels are required for `([A-Za-z0-9._-]+)`")
_NO_WHEEL = re.compile(
    r"(?<![A-Za-z0-9._-])([A-Za-z0-9._-]++)==\S{1,100}+ (?:has no usable wheels|can't be installed)"
)
_REMOVED = re.compile(r"there is no version of ([A-Za-z0-9._-]+)==")
"""A version that the index no longer has."""
_NAMES_SETUPTOOLS = re.compile(r"setuptools(?![A-Za-z0-9._-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One call of uv: which interpreter, whether versions are capped by date, which packages are exempt."""

    interpreter: int = 0
    is_capped: bool = True
    has_constraints: bool = True
    has_setuptools: bool = True
    excludes_broken: bool = True
    exempt: frozenset[str] = frozenset()
    """Packages without a wheel in the wanted version: any version with one may be used."""


@dataclass(frozen=True, slots=True)
class PackageResolver:
    """Resolves requirements with uv. `make_sources` finds packages without a wheel; None: none are used."""

    uv: Uv
    make_sources: MakeSources | None = None

    async def export_lock(
        self,
        folder: Path,
        texts: Mapping[str, str],
        place: PurePath,
        interpreter: Interpreter,
        log: BuildLog,
        options: tuple[str, ...] = (),
    ) -> PackageList | None:
        """Return the packages of the `uv.lock` at a place; None if uv cannot read it. Contacts no server.

        `options` choose a group of dependencies: see `Dependencies.lock_options`.
        """
        for name in ("pyproject.toml", "uv.lock"):
            (folder / name).write_text(texts[str(place / name)], encoding="utf-8")
        output = folder / "exported.txt"
        arguments = (
            *(
                "export",
                "--frozen",
                "--offline",
                *(() if DEFAULT_GROUP in options else ("--no-dev",)),
                *options,
                "--no-emit-local",
                "--no-header",
                "--no-annotate",
            ),
            *(
                "--python",
                str(interpreter.path),
                "--format",
                "requirements.txt",
                "--output-file",
                str(output),
            ),
            "--quiet",
        )
        status, lines = await self.uv.run(folder, arguments)
        if status != 0:
            for line in lines:
                log.write(line)
            log.write("The uv.lock could not be used as it is: the requirements are resolved instead.")
            return None
        text = output.read_text(encoding="utf-8")
        if not KNOWN_PACKAGES.isdisjoint(list_addressed(text)):
            log.write("The uv.lock has CrewAI from a repository: it is resolved from the index instead.")
            return None
        return PackageList(keep_packages(text, log), interpreter)

    async def resolve(
        self,
        folder: Path,
        dependencies: Dependencies,
        interpreters: Sequence[Interpreter],
        newest: date | None,
        log: BuildLog,
        attempts: int = MAX_ATTEMPTS,
    ) -> PackageList:
        """Resolve requirements to wheels, with at most `attempts` calls of uv. Raises EnvironmentBuildFailed.

        `newest` bounds the day of versions, except where a `uv.lock` has chosen them.
        """
        is_capped = newest is not None and dependencies.lock is None
        first = attempt = _Attempt(is_capped=is_capped, has_constraints=bool(dependencies.constraints))
        offers = SourceOffers(self.make_sources)
        failure, lines = explain_output([]), list[str]()
        for _ in range(attempts):
            interpreter = interpreters[attempt.interpreter]
            log.write(_describe(attempt, interpreter, newest))
            status, lines = await self._compile(folder, dependencies, attempt, interpreter, newest, offers)
            if status == 0:
                packages = PackageList(_read_output(folder, log), interpreter)
                if await offers.build_chosen(packages):
                    continue
                return offers.add_wheels(packages)
            failure = explain_output(lines)
            if failure.cause not in {BuildFailure.NO_SOLUTION, BuildFailure.NO_WHEEL}:
                break
            if await offers.extend(interpreter, _find_named(lines)):
                continue
            following = _next_attempt(attempt, lines, len(interpreters), has_date=newest is not None)
            if following is None and await offers.extend_with_compiled(interpreters[0]):
                following = first
            if following is None:
                failure = offers.failure or failure
                break
            attempt = following
        for line in lines:
            log.write(line)
        raise _name_packages(failure, _find_named(lines))

    async def _compile(
        self,
        folder: Path,
        dependencies: Dependencies,
        attempt: _Attempt,
        interpreter: Interpreter,
        newest: date | None,
        offers: SourceOffers,
    ) -> tuple[int, list[str]]:
        _write_requirements(folder, dependencies, attempt)
        arguments = _compile_arguments(attempt, interpreter, newest, folder / _OUTPUT)
        return await self.uv.run(folder, (*arguments, *offers.list_arguments(interpreter)))


def _read_output(folder: Path, log: BuildLog) -> str:
    return keep_packages((folder / _OUTPUT).read_text(encoding="utf-8"), log)


def add_floors(requirements: Sequence[str]) -> list[str]:
    """Return requirements with a lower bound for packages of CrewAI that have no version at all."""
    found = []
    for text in requirements:
        requirement = Requirement(text)
        floor = FLOORS.get(canonicalize_name(requirement.name))
        if floor is not None and not requirement.specifier:
            requirement.specifier &= type(requirement.specifier)(f">={floor}")
        found.append(str(requirement))
    return found


def has_custom_index(text: str) -> bool:
    """Return whether a pyproject.toml names package indexes of its own, which are not contacted."""
    try:
        tool = tomllib.loads(text).get("tool", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    uv = tool.get("uv", {}) if isinstance(tool, dict) else {}
    return isinstance(uv, dict) and bool({"index", "index-url", "extra-index-url"} & uv.keys())


def _write_requirements(folder: Path, dependencies: Dependencies, attempt: _Attempt) -> None:
    constraints = dependencies.constraints if attempt.has_constraints else ()
    files = {
        "requirements.in": [
            line for line in add_floors(dependencies.requirements) if not _is_exempt(line, attempt)
        ],
        "constraints.in": [line for line in constraints if not _is_exempt(line, attempt)],
    }
    if attempt.excludes_broken:
        files["constraints.in"].append(BROKEN_RELEASES)
    is_declared = any(map(_NAMES_SETUPTOOLS.match, dependencies.requirements))
    if attempt.has_setuptools and not is_declared:
        files["requirements.in"].append(SETUPTOOLS)
    # An exempt package keeps its extras and loses its version.
    for line in dependencies.requirements:
        if _is_exempt(line, attempt):
            requirement = Requirement(line)
            requirement.specifier = type(requirement.specifier)("")
            files["requirements.in"].append(str(requirement))
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _is_exempt(line: str, attempt: _Attempt) -> bool:
    try:
        return canonicalize_name(Requirement(line).name) in attempt.exempt
    except InvalidRequirement:
        return True


def _compile_arguments(
    attempt: _Attempt, interpreter: Interpreter, newest: date | None, output: Path
) -> tuple[str, ...]:
    output.unlink(missing_ok=True)
    cap = ["--exclude-newer", max(newest, EARLIEST_CAP).isoformat()] if newest and attempt.is_capped else []
    if cap:
        for name in sorted(attempt.exempt):
            cap += ["--exclude-newer-package", f"{name}=2100-01-01"]
    return (
        *(
            "pip",
            "compile",
            "requirements.in",
            "--constraints",
            "constraints.in",
            "--no-build",
            "--no-header",
        ),
        *("--no-annotate", "--generate-hashes", "--python", str(interpreter.path), "--quiet"),
        *("--output-file", str(output), *cap),
    )


def _describe(attempt: _Attempt, interpreter: Interpreter, newest: date | None) -> str:
    cap = f", packages as of {max(newest, EARLIEST_CAP)}" if newest and attempt.is_capped else ""
    exempt = f", any version of {', '.join(sorted(attempt.exempt))}" if attempt.exempt else ""
    return f"Resolving for Python {interpreter.version}{cap}{exempt}."


def _find_named(lines: list[str]) -> set[str]:
    """Return the packages of which uv says that a version has no wheel or is not there."""
    text = "\n".join(lines)
    patterns = (_NEEDS_WHEEL, _NO_WHEEL, _REMOVED)
    return {canonicalize_name(name) for pattern in patterns for name in pattern.findall(text)}


def _name_packages(failure: EnvironmentBuildFailed, named: set[str]) -> EnvironmentBuildFailed:
    """Return the failure with the packages without a wheel or a version."""
    if not named or failure.cause not in {BuildFailure.NO_SOLUTION, BuildFailure.NO_WHEEL}:
        return failure
    return EnvironmentBuildFailed(failure.cause, f"{failure.detail} Named by uv: {', '.join(sorted(named))}.")


def _next_attempt(
    attempt: _Attempt, lines: list[str], interpreters: int, *, has_date: bool
) -> _Attempt | None:
    """Return the next thing to try: another version of a package without wheel, then fewer conditions."""
    named = _find_named(lines) - FLOORS.keys()  # the version of CrewAI is the project's choice
    if named - attempt.exempt:
        return replace(attempt, exempt=attempt.exempt | named)
    text = "\n".join(lines)
    has_setuptools = attempt.has_setuptools and "setuptools" not in text
    excludes_broken = attempt.excludes_broken and "crewai-tools" not in text
    if (has_setuptools, excludes_broken) != (attempt.has_setuptools, attempt.excludes_broken):
        return replace(attempt, has_setuptools=has_setuptools, excludes_broken=excludes_broken)
    if attempt.has_constraints:
        return replace(attempt, has_constraints=False, is_capped=has_date)
    if attempt.interpreter + 1 < min(interpreters, 3):
        return replace(attempt, interpreter=attempt.interpreter + 1, exempt=frozenset())
    if attempt.is_capped:
        return _Attempt(is_capped=False, has_constraints=False, has_setuptools=attempt.has_setuptools)
    return None
