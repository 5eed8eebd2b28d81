"""Decides which packages an environment gets: a list with exact versions and hashes, made by uv."""

import re
import tomllib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from crewai_runner.domain.project_inspection.dependencies import Dependencies
from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.command_runner import BuildCommand, CommandRunner
from crewai_runner.executor.projects.build.failures import BuildFailure, explain_output
from crewai_runner.executor.projects.build.interpreters import Interpreter

EARLIEST_CAP = date(2024, 12, 10)
"""With an earlier one CrewAI 0.70 has no solution: the index lost versions that it needs."""
FLOORS = {"crewai": "0.70", "crewai-tools": "0.12"}
"""Lower bounds for requirements without a version: a resolver may otherwise choose a very old release."""
SETUPTOOLS = "setuptools<81"
"""Has `pkg_resources`, which old packages import, but do not require: up to 3.11, `venv` installed it."""
MAX_ATTEMPTS = 12
_KEPT_LINES = 200
_NEEDS_WHEEL = re.compile(r"Wheels are required for `([A-Za-z0-9._-]+)`")
_NO_WHEEL = re.compile(
    r"(?<![A-Za-z0-9._-])([A-Za-z0-9._-]++)==\S{1,100}+ (?:has no usable wheels|can't be installed)"
)
_REMOVED = re.compile(r"there is no version of ([A-Za-z0-9._-]+)==")
"""A version that the index no longer has."""
_NAMES_SETUPTOOLS = re.compile(r"setuptools(?![A-Za-z0-9._-])", re.IGNORECASE)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(\[[^\]]*\])?==([^\s;\\]+)")


@dataclass(frozen=True, slots=True)
class PackageList:
    """The packages of an environment: `text` is a requirements file with versions and hashes."""

    text: str
    interpreter: Interpreter

    @property
    def has_hashes(self) -> bool:
        """Return whether every package has a hash; in a lock file of an index without them none has."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return all("--hash=" in line for line in lines)

    def find_version(self, name: str) -> str | None:
        for line in self.text.splitlines():
            match = _PINNED.match(line)
            if match and canonicalize_name(match[1]) == name:
                return match[3]
        return None


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One call of uv: which interpreter, whether versions are capped by date, which packages are exempt."""

    interpreter: int = 0
    is_capped: bool = True
    has_constraints: bool = True
    has_setuptools: bool = True
    exempt: frozenset[str] = frozenset()
    """Packages without a wheel in the wanted version: any version with one may be used."""


@dataclass(frozen=True, slots=True)
class PackageResolver:
    """Runs uv in a folder; `environment` has the settings of the index and of the cache."""

    runner: CommandRunner
    uv: str
    environment: Mapping[str, str]
    seconds: float

    async def export_lock(
        self, folder: Path, texts: Mapping[str, str], interpreter: Interpreter, log: BuildLog
    ) -> PackageList | None:
        """Return the packages of a `uv.lock`; None if uv cannot read it. Contacts no server."""
        for name in ("pyproject.toml", "uv.lock"):
            (folder / name).write_text(texts[name], encoding="utf-8")
        output = folder / "exported.txt"
        arguments = (
            *(
                "export",
                "--frozen",
                "--offline",
                "--no-dev",
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
        status, lines = await self.run(folder, arguments)
        if status != 0:
            for line in lines:
                log.write(line)
            log.write("The uv.lock could not be used as it is: the requirements are resolved instead.")
            return None
        return PackageList(keep_packages(output.read_text(encoding="utf-8"), log), interpreter)

    async def resolve(
        self,
        folder: Path,
        dependencies: Dependencies,
        interpreters: Sequence[Interpreter],
        newest: date | None,
        log: BuildLog,
    ) -> PackageList:
        """Resolve requirements to wheels. Raises EnvironmentBuildFailed.

        `newest` bounds the day of versions, except where a `uv.lock` has chosen them.
        """
        is_capped = newest is not None and dependencies.lock is None
        attempt = _Attempt(is_capped=is_capped, has_constraints=bool(dependencies.constraints))
        output = folder / "resolved.txt"
        for _ in range(MAX_ATTEMPTS):
            interpreter = interpreters[attempt.interpreter]
            _write_requirements(folder, dependencies, attempt)
            log.write(_describe(attempt, interpreter, newest))
            arguments = _compile_arguments(attempt, interpreter, newest, output)
            status, lines = await self.run(folder, arguments)
            if status == 0:
                return PackageList(keep_packages(output.read_text(encoding="utf-8"), log), interpreter)
            failure = explain_output(lines)
            retries = failure.cause in {BuildFailure.NO_SOLUTION, BuildFailure.NO_WHEEL}
            following = (
                _next_attempt(attempt, lines, len(interpreters), has_date=newest is not None)
                if retries
                else None
            )
            if following is None:
                break
            attempt = following
        for line in lines:
            log.write(line)
        raise failure

    async def run(self, folder: Path, arguments: tuple[str, ...]) -> tuple[int, list[str]]:
        """Run uv in a folder, and return its exit status and its last lines of output."""
        lines: deque[str] = deque(maxlen=_KEPT_LINES)
        command = BuildCommand((self.uv, *arguments), folder, self.environment, self.seconds)
        status = await self.runner.run(command, lines.append)
        return status, list(lines)


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


def is_pinned(line: str) -> bool:
    """Return whether a line is a package of the index with one exact version."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return False
    [*specifiers] = requirement.specifier
    return requirement.url is None and len(specifiers) == 1 and specifiers[0].operator in {"==", "==="}


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


def _next_attempt(
    attempt: _Attempt, lines: list[str], interpreters: int, *, has_date: bool
) -> _Attempt | None:
    """Return the next thing to try: another version of a package without wheel, then fewer conditions."""
    text = "\n".join(lines)
    named = {canonicalize_name(name) for name in [*_NEEDS_WHEEL.findall(text), *_NO_WHEEL.findall(text)]}
    named |= {canonicalize_name(name) for name in _REMOVED.findall(text)}
    named -= FLOORS.keys()  # the version of CrewAI is the project's choice
    if named - attempt.exempt:
        return replace(attempt, exempt=attempt.exempt | named)
    if attempt.has_setuptools and "setuptools" in text:
        return replace(attempt, has_setuptools=False)
    if attempt.has_constraints:
        return replace(attempt, has_constraints=False, is_capped=has_date)
    if attempt.interpreter + 1 < min(interpreters, 3):
        return replace(attempt, interpreter=attempt.interpreter + 1, exempt=frozenset())
    if attempt.is_capped:
        return _Attempt(is_capped=False, has_constraints=False, has_setuptools=attempt.has_setuptools)
    return None
