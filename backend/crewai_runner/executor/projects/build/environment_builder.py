"""Builds the environment of a project: lists its packages, installs them, and shares the result."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePath

import uv

from crewai_runner.domain.project import ProjectInspection
from crewai_runner.domain.project_inspection.dependencies import Dependencies, read_dependencies
from crewai_runner.executor.projects.build.build_allowance import BuildAllowance
from crewai_runner.executor.projects.build.build_log import BuildLog, OnLog
from crewai_runner.executor.projects.build.command_runner import CommandRunner, SubprocessRunner
from crewai_runner.executor.projects.build.environment_installer import EnvironmentInstaller, LocatePython
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
    read_minor,
)
from crewai_runner.executor.projects.build.old_crewai import OLDEST, replace_old_crewai, wants_old_crewai
from crewai_runner.executor.projects.build.own_packages import OwnPackages
from crewai_runner.executor.projects.build.package_index import PackageIndex
from crewai_runner.executor.projects.build.package_list import PackageList
from crewai_runner.executor.projects.build.package_resolver import (
    MAX_ATTEMPTS,
    PackageResolver,
    has_custom_index,
)
from crewai_runner.executor.projects.build.project_declarations import (
    check_undeclared,
    describe_unavailable,
    read_declarations,
)
from crewai_runner.executor.projects.build.source_offers import MakeSources
from crewai_runner.executor.projects.build.source_packages import SourcePackages
from crewai_runner.executor.projects.build.uv_command import Uv
from crewai_runner.executor.projects.build.wheel_builder import ChooseSandbox, WheelBuilder

_PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
"""Variables of this process that uv needs to reach the index."""
ATTEMPTS_WITH_OLD_CREWAI = 3
"""To resolve requirements with a CrewAI from before 0.70: the index has lost packages of most versions."""
_NO_VERSIONS = frozenset({BuildFailure.NO_SOLUTION, BuildFailure.NO_WHEEL, BuildFailure.SOURCE_BUILD})


@dataclass(frozen=True, slots=True)
class BuildLimits:
    """`seconds` for each step; `environment_bytes` for the files of one environment."""

    seconds: float = 900.0
    environment_bytes: int = 8 * 1024**3


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build.

    `source_dir` is the folder that declares the dependencies: the working directory of the entry point.
    `project_dir` is the folder of all files of the project, in which it is; by default the same. Of these the
    packages in `compiled_folders` are built; the metadata of `own_package` (`name==version`) is installed.
    `newest` is the day of the project's last change: of packages without a pin, no later version is used.
    `extra_requirements` are added, such as `crewai[anthropic]`. `index_url` may have a password.
    """

    source_dir: Path
    newest: date | None = None
    extra_requirements: tuple[str, ...] = ()
    python: str | None = None
    index_url: str | None = None
    limits: BuildLimits = field(default_factory=BuildLimits)
    project_dir: Path | None = None
    compiled_folders: tuple[str, ...] = ()
    own_package: str | None = None

    @property
    def root(self) -> Path:
        """The folder of all files of the project."""
        return self.project_dir or self.source_dir

    @classmethod
    def for_project(
        cls, folder: Path, inspection: ProjectInspection, newest: date | None, index_url: str | None
    ) -> "BuildRequest":
        """Return the request for an inspected project whose files are in a folder."""
        return cls(
            source_dir=folder / inspection.working_directory,
            newest=newest,
            extra_requirements=tuple(inspection.missing_packages),
            python=inspection.python,
            index_url=index_url,
            project_dir=folder,
            compiled_folders=tuple(inspection.compiled_folders),
            own_package=inspection.own_package,
        )


@dataclass(frozen=True, slots=True)
class EnvironmentBuilder:
    """Builds environments in a store. Packages are installed from wheels only: no code is executed.

    Packages that exist only as source code are made wheels in the sandbox, which `choose_sandbox` returns;
    without it they are not used. `locate_python` returns the path that an interpreter has in environments.
    """

    store: EnvironmentStore
    runner: CommandRunner = field(default_factory=SubprocessRunner)
    locate_python: LocatePython = os.path.realpath
    choose_sandbox: ChooseSandbox | None = None

    async def build(self, request: BuildRequest, on_log: OnLog) -> BuiltEnvironment:
        """Build an environment, or return the one that has the same packages.

        Raises EnvironmentBuildFailed. A cancelled build leaves nothing behind.
        """
        log = BuildLog(on_log, request.index_url)
        await asyncio.to_thread(self.store.prepare)
        with self.store.use_cache():
            folder = self.store.create_folder()  # not in a thread: a cancelled wait would leave it behind
            try:
                return await self._build_in(folder, request, log)
            finally:
                await asyncio.shield(asyncio.to_thread(self.store.discard, folder))

    async def _build_in(self, folder: Path, request: BuildRequest, log: BuildLog) -> BuiltEnvironment:
        command = Uv(
            self.runner, uv.find_uv_bin(), self._environment(request, folder), request.limits.seconds
        )
        installer = EnvironmentInstaller(
            self.store, command, self.locate_python, request.limits.environment_bytes
        )
        wheels = None if self.choose_sandbox is None else WheelBuilder(installer, self.choose_sandbox)
        resolver = PackageResolver(command, _make_sources(request, wheels, folder, log))
        packages = await self._list_packages(request, resolver, folder, log)
        own = OwnPackages(request.root, folder, wheels, log)
        if request.compiled_folders:
            packages = await own.build(request.compiled_folders, packages, request.newest)
        if request.own_package is not None:
            packages = await asyncio.to_thread(own.add_metadata, request.own_package, packages)
        return await installer.provide(packages, log)

    async def _list_packages(
        self, request: BuildRequest, resolver: PackageResolver, folder: Path, log: BuildLog
    ) -> PackageList:
        place = request.source_dir.relative_to(request.root)
        texts = await asyncio.to_thread(read_declarations, request.root)
        declared = read_dependencies(texts, place.as_posix())
        _log_declared(declared, has_custom_index(texts.get(str(place / "pyproject.toml"), "")), request, log)
        pin = declared.preferred_python
        wanted = request.python or declared.python
        interpreters = rank_interpreters(await find_interpreters(), wanted, pin)
        if pin is not None and interpreters[0].minor != read_minor(pin):
            log.write(f"Python {pin} is not installed or does not fit: {interpreters[0].version} is used.")
        locked: PackageList | None = None
        if declared.lock is not None:
            lock_folder, options = PurePath(declared.lock).parent, declared.lock_options
            locked = await resolver.export_lock(folder, texts, lock_folder, interpreters[0], log, options)
            if locked is not None and not request.extra_requirements:
                if locked.has_hashes and not await self._lacks_wheel(resolver, locked, folder):
                    return locked
                log.write(
                    "A locked package has no wheel or no hash: its source or a version near it is looked for."
                )
        dependencies = _add_requirements(declared, request.extra_requirements, locked)
        if not dependencies.requirements:
            await asyncio.to_thread(check_undeclared, request.root)
            log.write("The project needs no packages.")
            return PackageList("", interpreters[0])
        newer = replace_old_crewai(dependencies)
        attempts = ATTEMPTS_WITH_OLD_CREWAI if wants_old_crewai(dependencies) else MAX_ATTEMPTS
        try:
            return await resolver.resolve(folder, dependencies, interpreters, request.newest, log, attempts)
        except EnvironmentBuildFailed as failure:
            if newer is None or failure.cause not in _NO_VERSIONS:
                raise
            log.write(
                f"{declared.find('crewai')} cannot be installed any more, or not with the other packages: "
                f"the first versions that run here are used, {OLDEST} or later. The code may need changes."
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
        status, lines = await resolver.uv.run(folder, arguments)
        if status == 0:
            return False
        failure = explain_output(lines)
        if failure.cause not in {BuildFailure.NO_WHEEL, BuildFailure.NO_SOLUTION}:
            raise failure
        return True

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


def _log_declared(declared: Dependencies, has_index: bool, request: BuildRequest, log: BuildLog) -> None:
    """Log what is not done as the project says. Raises EnvironmentBuildFailed if a package is unavailable."""
    if declared.unavailable:
        raise describe_unavailable(declared.unavailable)
    if has_index:
        log.write("The project names package indexes of its own: only the configured one is used.")
    for line in declared.ignored:
        log.write(f"Left out, because it is no package of the index: {line}")
    for line in request.extra_requirements:
        log.write(f"Added, because the project needs it and does not declare it: {line}")


def _make_sources(
    request: BuildRequest, builder: WheelBuilder | None, folder: Path, log: BuildLog
) -> MakeSources | None:
    """Return what makes the source packages of an interpreter; None where nothing can be built."""
    if builder is None:
        return None
    index, allowance = PackageIndex(request.index_url), BuildAllowance()

    def make(interpreter: Interpreter) -> SourcePackages:
        place = folder / f"sources-{interpreter.version}"
        return SourcePackages(index, builder, place, interpreter, request.newest, log, allowance)

    return make


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
