"""Builds wheels from source code, in the sandbox and without any network.

The code of a build (`setup.py`, a backend, a script of the project) decides nothing but the contents of its
own wheel: what it needs is resolved and installed by this process from wheels of the index.
"""

import asyncio
import hashlib
import json
import platform
import shutil
import sys
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.environment_installer import EnvironmentInstaller
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment
from crewai_runner.executor.projects.build.failures import (
    BuildFailure,
    EnvironmentBuildFailed,
    explain_output,
)
from crewai_runner.executor.projects.build.interpreters import Interpreter
from crewai_runner.executor.projects.build.package_list import BuiltWheel, PackageList, keep_packages
from crewai_runner.executor.projects.build.sandboxed_build import SandboxedBuild
from crewai_runner.executor.projects.sandbox.selection import SandboxChoice

FORMAT = "1"
"""Part of the key of a wheel: to be raised when wheels are built differently."""
EARLIEST_CAP = date(2024, 12, 10)
MAX_REQUIREMENTS = 100
_LEGACY = {"requires": ["setuptools>=40.8.0", "wheel"], "build-backend": "setuptools.build_meta:__legacy__"}
"""For source code without a `[build-system]`, as in PEP 517."""

ChooseSandbox = Callable[[], Awaitable[SandboxChoice]]


@dataclass(frozen=True, slots=True)
class SourceCode:
    """Source code of one package: an archive, or a folder.

    `sha256` identifies its content. `version` is None if only the build tells name and version; then `name`
    is for messages. Build requirements are as of the day `newest`, so that the same source gives the same
    wheel later. `variables` are for the build.
    """

    name: str
    version: str | None
    content: Path
    sha256: str
    newest: date | None = None
    variables: Mapping[str, str] | None = None

    @property
    def title(self) -> str:
        return self.name if self.version is None else f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class _BuildSystem:
    """The `[build-system]` of a pyproject.toml."""

    requires: tuple[str, ...]
    backend: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WheelBuilder:
    """Builds wheels, each of them once for its source, its interpreter and this machine.

    Wheels are shared by all workspaces: nothing that a project chooses has a part in the build of another
    source. See ADR-0024.
    """

    installer: EnvironmentInstaller
    choose_sandbox: ChooseSandbox

    async def build(self, source: SourceCode, interpreter: Interpreter, log: BuildLog) -> BuiltWheel:
        """Build a wheel, or return the one that was built before. Raises EnvironmentBuildFailed."""
        store, key = self.installer.store, self._make_key(source, interpreter)
        async with store.build_lock(key):
            file = await asyncio.to_thread(store.find_wheel, key)
            if file is None:
                folder = store.create_folder()  # not in a thread: a cancelled wait would leave it behind
                try:
                    log.write(f"Building {source.title} from its source, for Python {interpreter.version}.")
                    built = await self._build_in(folder, source, interpreter, log)
                    file = await asyncio.to_thread(store.add_wheel, key, built)
                finally:
                    await asyncio.shield(asyncio.to_thread(store.discard, folder))
        name, version, _, _ = parse_wheel_filename(file.name)
        digest = await asyncio.to_thread(_hash_file, file)
        return BuiltWheel(name, str(version), source.sha256, file, digest)

    def _make_key(self, source: SourceCode, interpreter: Interpreter) -> str:
        place = self.installer.locate_python(interpreter.path)
        machine = (sys.platform, platform.machine(), *platform.libc_ver())
        parts = (FORMAT, source.name, source.sha256, interpreter.version, place, *machine)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    async def _build_in(
        self, folder: Path, source: SourceCode, interpreter: Interpreter, log: BuildLog
    ) -> Path:
        choice = await self.choose_sandbox()
        if choice.sandbox is None:
            message = (
                f"{source.title} has to be built from source, and no sandbox holds: {choice.probe.message}."
            )
            raise EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, message)
        build = SandboxedBuild(choice.sandbox, folder / "work", interpreter.path, source.title, log)
        await asyncio.to_thread(_copy, source.content, build.work)
        if source.content.is_file():
            await build.run("unpack")
        system = _read_build_system(await build.read("tree/pyproject.toml"))
        result = await self._call(build, source, system, (), interpreter, log)
        if "requires" in result:
            more = _check_requirements(result["requires"], source)
            result = await self._call(build, source, system, more, interpreter, log)
        return await build.collect_wheel(_check_wheel_name(result.get("wheel"), source), folder)

    async def _call(
        self,
        build: SandboxedBuild,
        source: SourceCode,
        system: _BuildSystem,
        more: tuple[str, ...],
        interpreter: Interpreter,
        log: BuildLog,
    ) -> dict[str, Any]:
        """Run the backend with what it requires and `more`, and return its result."""
        requirements = tuple(dict.fromkeys((*system.requires, *more)))
        environment = await self._provide(requirements, source, interpreter, log)
        settings = {"backend": system.backend, "path": list(system.path), "is_complete": bool(more)}
        with self.installer.store.use(environment.lock_hash):
            variables = {**(source.variables or {}), "BUILD": json.dumps(settings)}
            await build.run("build", environment.directory, variables)
        return await build.read_result()

    async def _provide(
        self, requirements: tuple[str, ...], source: SourceCode, interpreter: Interpreter, log: BuildLog
    ) -> BuiltEnvironment:
        """Return the environment that a backend runs in. Its packages are wheels of the index."""
        store = self.installer.store
        folder = store.create_folder()
        try:
            (folder / "requires.in").write_text("".join(f"{line}\n" for line in requirements))
            output = folder / "requires.txt"
            cap = max(source.newest, EARLIEST_CAP).isoformat() if source.newest else None
            arguments = (
                *("pip", "compile", "requires.in", "--no-build", "--no-header", "--no-annotate", "--quiet"),
                *("--generate-hashes", "--python", str(interpreter.path), "--output-file", str(output)),
                *(("--exclude-newer", cap) if cap else ()),
            )
            status, lines = await self.installer.uv.run(folder, arguments)
            if status != 0:
                raise _explain_requirements(lines, source)
            text = keep_packages(output.read_text(encoding="utf-8"), log)
        finally:
            await asyncio.shield(asyncio.to_thread(store.discard, folder))
        return await self.installer.provide(PackageList(text, interpreter), log)


def _copy(content: Path, work: Path) -> None:
    work.mkdir(mode=0o755)
    if content.is_dir():
        shutil.copytree(content, work / "tree")
    else:
        shutil.copyfile(content, work / "source")


def _read_build_system(text: str | None) -> _BuildSystem:
    try:
        table = tomllib.loads(text or "").get("build-system", {})
    except (tomllib.TOMLDecodeError, RecursionError):
        table = {}
    if not isinstance(table, dict) or not isinstance(table.get("requires"), list):
        table = _LEGACY
    backend, path = table.get("build-backend", _LEGACY["build-backend"]), table.get("backend-path", [])
    requires = [line for line in table["requires"] if isinstance(line, str)]
    return _BuildSystem(
        tuple(line for line in requires if _is_of_index(line)),
        backend if isinstance(backend, str) else str(_LEGACY["build-backend"]),
        tuple(item for item in path if isinstance(item, str)) if isinstance(path, list) else (),
    )


def _is_of_index(line: str) -> bool:
    """Return whether a line is a requirement without an address, in one line."""
    try:
        return Requirement(line).url is None and "\n" not in line
    except InvalidRequirement:
        return False


def _check_requirements(found: object, source: SourceCode) -> tuple[str, ...]:
    """Return the requirements that a backend asks for; its code is not trusted."""
    lines = found if isinstance(found, list) else []
    if len(lines) > MAX_REQUIREMENTS or not all(isinstance(one, str) and _is_of_index(one) for one in lines):
        message = f"The build of {source.title} asks for packages that are not on the package index."
        raise EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, message)
    return tuple(lines)


def _check_wheel_name(found: object, source: SourceCode) -> str:
    """Return the file name of a wheel if it is one of this package. Raises EnvironmentBuildFailed."""
    text = found if isinstance(found, str) and "/" not in found else ""
    try:
        name, version, _, _ = parse_wheel_filename(text)
        wanted = (canonicalize_name(source.name), Version(source.version)) if source.version else None
        is_wanted = wanted is None or wanted == (name, version)
    except (InvalidWheelFilename, InvalidVersion):
        is_wanted = False
    if not is_wanted:
        message = f"The build of {source.title} made a wheel of another package: {text[:100]!r}."
        raise EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, message)
    return text


def _explain_requirements(lines: list[str], source: SourceCode) -> EnvironmentBuildFailed:
    failure = explain_output(lines)
    if failure.cause not in {BuildFailure.NO_SOLUTION, BuildFailure.NO_WHEEL}:
        return failure
    message = (
        f"{source.title} cannot be built from its source: the index has no wheel for this Python of a "
        "package that the build requires."
    )
    return EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, message)


def _hash_file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
