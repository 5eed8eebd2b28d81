"""Builds the environment of a project: lists its packages, installs them, and shares the result."""

import asyncio
import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import uv

from crewai_runner.core.text import decode_text
from crewai_runner.domain.project_inspection.dependencies import (
    Dependencies,
    list_included,
    read_dependencies,
)
from crewai_runner.executor.projects.build.build_log import BuildLog, OnLog
from crewai_runner.executor.projects.build.command_runner import (
    BuildCommand,
    CommandRunner,
    SubprocessRunner,
)
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment, EnvironmentStore
from crewai_runner.executor.projects.build.failures import (
    BuildFailure,
    EnvironmentBuildFailed,
    explain_output,
)
from crewai_runner.executor.projects.build.interpreters import (
    Interpreter,
    find_interpreters,
    rank_interpreters,
)
from crewai_runner.executor.projects.build.old_crewai import OLDEST, replace_old_crewai
from crewai_runner.executor.projects.build.package_resolver import (
    PackageList,
    PackageResolver,
    has_custom_index,
)

FORMAT = "1"
"""Part of the hash: to be raised when environments are built differently."""
_COMPILE = ("-I", "-S", "-W", "ignore", "-m", "compileall", "-qq", "-j", "2")
_READ_FILES = (
    *("pyproject.toml", "setup.py", "setup.cfg", "Pipfile"),
    *("uv.lock", "poetry.lock", ".python-version"),
)
_MAX_FILE_BYTES = 8 * 1024**2
_MAX_INCLUDED = 100
"""Files that one requirements file may include."""
_PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
"""Variables of this process that uv needs to reach the index."""


@dataclass(frozen=True, slots=True)
class BuildLimits:
    """`seconds` for each step; `environment_bytes` for the files of one environment."""

    seconds: float = 900.0
    environment_bytes: int = 8 * 1024**3


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build.

    `source_dir` is the folder that declares the dependencies: the working directory of the entry point.
    `newest` is the day of the project's last change: of packages without a pin, no later version is used.
    `extra_requirements` are added, such as `crewai[anthropic]`. `index_url` may have a password.
    """

    source_dir: Path
    newest: date | None = None
    extra_requirements: tuple[str, ...] = ()
    python: str | None = None
    index_url: str | None = None
    limits: BuildLimits = field(default_factory=BuildLimits)


@dataclass(frozen=True, slots=True)
class EnvironmentBuilder:
    """Builds environments in a store. Packages are installed from wheels only: no code is executed.

    `locate_python` returns the path that an interpreter has where environments are used.
    """

    store: EnvironmentStore
    runner: CommandRunner = field(default_factory=SubprocessRunner)
    locate_python: Callable[[Path], str] = os.path.realpath

    async def build(self, request: BuildRequest, on_log: OnLog) -> BuiltEnvironment:
        """Build an environment, or return the one that has the same packages.

        Raises EnvironmentBuildFailed. A cancelled build leaves nothing behind.
        """
        log = BuildLog(on_log, request.index_url)
        await asyncio.to_thread(self.store.prepare)
        folder = self.store.create_folder()  # not in a thread: a cancelled wait would leave the folder behind
        try:
            with self.store.use_cache():
                return await self._build_in(folder, request, log)
        finally:
            await asyncio.shield(asyncio.to_thread(self.store.discard, folder))

    async def _build_in(self, folder: Path, request: BuildRequest, log: BuildLog) -> BuiltEnvironment:
        packages = await self._list_packages(request, folder, log)
        lock_hash = self._hash(packages)
        async with self.store.build_lock(lock_hash):
            found = await asyncio.to_thread(self.store.find, lock_hash)
            if found is not None:
                log.write("An environment with these packages exists already.")
                return found
            return await self._install(request, packages, lock_hash, folder, log)

    def _hash(self, packages: PackageList) -> str:
        interpreter = packages.interpreter
        place = self.locate_python(interpreter.path)
        parts = (FORMAT, packages.text, interpreter.version, place, sys.platform, platform.machine())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    async def _list_packages(self, request: BuildRequest, folder: Path, log: BuildLog) -> PackageList:
        texts = await asyncio.to_thread(_read_texts, request.source_dir)
        declared = read_dependencies(texts)
        if has_custom_index(texts.get("pyproject.toml", "")):
            log.write("The project names package indexes of its own: only the configured one is used.")
        for line in declared.ignored:
            log.write(f"Left out, because it is no package of the index: {line}")
        for line in request.extra_requirements:
            log.write(f"Added, because the project needs it and does not declare it: {line}")
        wanted = request.python or declared.python
        interpreters = rank_interpreters(await find_interpreters(), wanted, declared.preferred_python)
        resolver = PackageResolver(
            self.runner, uv.find_uv_bin(), self._environment(request, folder), request.limits.seconds
        )
        locked: PackageList | None = None
        if declared.lock is not None:
            locked = await resolver.export_lock(folder, texts, interpreters[0], log)
            if locked is not None and not request.extra_requirements:
                if locked.has_hashes and not await self._lacks_wheel(resolver, locked, folder):
                    return locked
                log.write(
                    "A locked package has no wheel or no hash: versions near the locked ones are looked for."
                )
        dependencies = _add_requirements(declared, request.extra_requirements, locked)
        if not dependencies.requirements:
            message = "The project declares no dependencies. Add a requirements.txt or a pyproject.toml."
            raise EnvironmentBuildFailed(BuildFailure.NO_SOLUTION, message)
        try:
            return await resolver.resolve(folder, dependencies, interpreters, request.newest, log)
        except EnvironmentBuildFailed as failure:
            newer = replace_old_crewai(dependencies)
            if newer is None or failure.cause not in {BuildFailure.NO_SOLUTION, BuildFailure.NO_WHEEL}:
                raise
            log.write(
                f"{declared.find('crewai')} cannot be installed any more: the first versions that run "
                f"here are used, {OLDEST} or later. The code may need changes."
            )
        return await resolver.resolve(folder, newer, interpreters, request.newest, log)

    async def _lacks_wheel(self, resolver: PackageResolver, packages: PackageList, folder: Path) -> bool:
        """Return whether a listed package has no wheel for the interpreter."""
        listing = folder / "locked.txt"
        listing.write_text(packages.text, encoding="utf-8")
        arguments = (
            *("pip", "compile", str(listing), "--no-build", "--no-deps", "--quiet", "--no-header"),
            *("--python", str(packages.interpreter.path), "--output-file", str(folder / "checked.txt")),
        )
        status, lines = await resolver.run(folder, arguments)
        if status == 0:
            return False
        failure = explain_output(lines)
        if failure.cause not in {BuildFailure.NO_WHEEL, BuildFailure.NO_SOLUTION}:
            raise failure
        return True

    async def _install(
        self, request: BuildRequest, packages: PackageList, lock_hash: str, folder: Path, log: BuildLog
    ) -> BuiltEnvironment:
        interpreter, target = packages.interpreter, folder / "venv"
        listing = folder / "packages.txt"
        await asyncio.to_thread(listing.write_text, packages.text, encoding="utf-8")
        program, python = uv.find_uv_bin(), str(target / "bin" / "python")
        log.write(f"Installing {packages.text.count('==')} packages for Python {interpreter.version}.")
        steps = (
            (program, "venv", "--relocatable", "--python", str(interpreter.path), "--quiet", str(target)),
            (program, "pip", "sync", "--no-build", "--require-hashes", "--python", python, str(listing)),
            # Without its packages: one of them may have a file that the interpreter executes when it starts.
            (str(interpreter.path), *_COMPILE, str(target / "lib")),
        )
        environment = self._environment(request, folder)
        for step in steps:
            log.recent.clear()
            # Its processes talk over Unix sockets in TMPDIR, whose paths have at most 107 characters.
            own = {} if step[0] == program else {"TMPDIR": tempfile.gettempdir()}
            command = BuildCommand(step, folder, {**environment, **own}, request.limits.seconds)
            status = await self.runner.run(command, log.write)
            if status != 0 and step[0] == program:
                raise explain_output(list(log.recent))
        await asyncio.to_thread(_check_size, target, request.limits.environment_bytes)
        await asyncio.to_thread(self._place_interpreter, target, interpreter)
        built = BuiltEnvironment(
            lock_hash, target, interpreter.version, packages.find_version("crewai"), interpreter.path
        )
        return await asyncio.to_thread(self.store.add, folder, built, packages.text)

    def _place_interpreter(self, target: Path, interpreter: Interpreter) -> None:
        """Let the environment refer to the interpreter's path where it is used."""
        place = self.locate_python(interpreter.path)
        link = target / "bin" / "python"
        link.unlink()
        link.symlink_to(place)
        settings = target / "pyvenv.cfg"
        lines = settings.read_text(encoding="utf-8").splitlines()
        home = f"home = {Path(place).parent}"
        kept = [home if line.startswith("home") else line for line in lines]
        settings.write_text("\n".join(kept) + "\n", encoding="utf-8")

    def _environment(self, request: BuildRequest, folder: Path) -> Mapping[str, str]:
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        index = {"UV_DEFAULT_INDEX": request.index_url} if request.index_url else {}
        return {
            **passed_on,
            **index,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "UV_CACHE_DIR": str(self.store.cache),
            "UV_LINK_MODE": "hardlink",
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_HTTP_TIMEOUT": "60",
            "UV_KEYRING_PROVIDER": "disabled",
            "NO_COLOR": "1",
        }


def _add_requirements(
    declared: Dependencies, extra: tuple[str, ...], locked: PackageList | None
) -> Dependencies:
    """Return the requirements with further ones; locked versions become constraints."""
    constraints = declared.constraints
    if locked is not None:
        pins = (line.partition(" \\")[0].strip() for line in locked.text.splitlines())
        constraints = tuple(pin.partition("[")[0] if "[" in pin else pin for pin in pins if "==" in pin)
    requirements = tuple(dict.fromkeys((*declared.requirements, *extra)))
    lock = declared.lock if locked is not None else None
    return replace(declared, requirements=requirements, constraints=constraints, lock=lock)


def _read_texts(folder: Path) -> dict[str, str]:
    """Return the files that declare dependencies, by path. Links are not followed."""
    waiting = [folder / name for name in _READ_FILES]
    waiting += [path for place in (folder, folder / "requirements") for path in sorted(place.glob("*.txt"))]
    waiting += sorted(folder.glob("*.in"))
    texts: dict[str, str] = {}
    for path in waiting:
        name = str(path.relative_to(folder))
        text = None if name in texts else _read_text(path, folder)
        if text is not None:
            texts[name] = text
            included = [other for other in list_included(name, text) if not other.startswith(("/", ".."))]
            waiting += [folder / other for other in included[:_MAX_INCLUDED]]
    return texts


def _read_text(path: Path, folder: Path) -> str | None:
    """Return the text of a file; None if it is none, a link, or too long."""
    try:
        if path.resolve() != folder.resolve() / path.relative_to(folder) or not path.is_file():
            return None
        return decode_text(path.read_bytes()) if path.stat().st_size <= _MAX_FILE_BYTES else None
    except (OSError, ValueError):
        return None


def _check_size(folder: Path, limit: int) -> None:
    total = 0
    for parent, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)  # noqa: PTH118
        if total > limit:
            message = (
                f"The environment is larger than {limit // 1024**2} MiB. Remove packages that are not needed."
            )
            raise EnvironmentBuildFailed(BuildFailure.TOO_LARGE, message)
