"""Installs lists of packages as environments, each of them once."""

import asyncio
import hashlib
import os
import platform
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.environment_store import BuiltEnvironment, EnvironmentStore
from crewai_runner.executor.projects.build.failures import (
    BuildFailure,
    EnvironmentBuildFailed,
    explain_output,
)
from crewai_runner.executor.projects.build.interpreters import Interpreter
from crewai_runner.executor.projects.build.package_list import PackageList
from crewai_runner.executor.projects.build.uv_command import Uv

OWN_FOLDER = "own"
"""In an environment: the modules of the project's own wheels."""
FORMAT = "1"
"""Part of the hash: to be raised when environments are built differently."""
_COMPILE = ("-I", "-S", "-W", "ignore", "-m", "compileall", "-qq", "-j", "2")

LocatePython = Callable[[Path], str]
"""Returns the path that an interpreter has where environments are used."""


@dataclass(frozen=True, slots=True)
class EnvironmentInstaller:
    """Installs wheels into environments of a store. No code of packages is executed."""

    store: EnvironmentStore
    uv: Uv
    locate_python: LocatePython
    max_bytes: int

    async def provide(self, packages: PackageList, log: BuildLog) -> BuiltEnvironment:
        """Return the environment with these packages, installed unless there is one.

        Raises EnvironmentBuildFailed. A cancelled call leaves nothing behind.
        """
        lock_hash = self._hash(packages)
        async with self.store.build_lock(lock_hash):
            found = await asyncio.to_thread(self.store.find, lock_hash)
            if found is not None:
                log.write("An environment with these packages exists already.")
                return found
            folder = self.store.create_folder()  # not in a thread: a cancelled wait would leave it behind
            try:
                return await self._install(packages, lock_hash, folder, log)
            finally:
                await asyncio.shield(asyncio.to_thread(self.store.discard, folder))

    def _hash(self, packages: PackageList) -> str:
        interpreter = packages.interpreter
        place = self.locate_python(interpreter.path)
        parts = (FORMAT, packages.text, interpreter.version, place, sys.platform, platform.machine())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    async def _install(
        self, packages: PackageList, lock_hash: str, folder: Path, log: BuildLog
    ) -> BuiltEnvironment:
        interpreter, target = packages.interpreter, folder / "venv"
        await asyncio.to_thread(_write_inputs, packages, folder)
        log.write(f"Installing {packages.text.count('==')} packages for Python {interpreter.version}.")
        for step in self._list_steps(interpreter, folder):
            # Its processes talk over Unix sockets in TMPDIR, whose paths have at most 107 characters.
            own = {} if step[0] == self.uv.program else {"TMPDIR": tempfile.gettempdir()}
            status = await self.uv.show(folder, step, log, own)
            if status != 0 and step[0] == self.uv.program:
                raise explain_output(list(log.recent))
        await asyncio.to_thread(_check_size, target, self.max_bytes)
        await asyncio.to_thread(self._place_interpreter, target, interpreter)
        await asyncio.to_thread(_link_own_packages, packages, target)
        built = BuiltEnvironment(
            lock_hash, target, interpreter.version, packages.find_version("crewai"), interpreter.path
        )
        return await asyncio.to_thread(self.store.add, folder, built, packages.text)

    def _list_steps(self, interpreter: Interpreter, folder: Path) -> tuple[tuple[str, ...], ...]:
        uv, target = self.uv.program, folder / "venv"
        sync = ("pip", "sync", "--no-build", "--require-hashes", "--allow-empty-requirements")
        places = ("--find-links", str(folder / "wheels"), "--python", str(target / "bin" / "python"))
        return (
            (uv, "venv", "--relocatable", "--python", str(interpreter.path), "--quiet", str(target)),
            (uv, *sync, *places, str(folder / "packages.txt")),
            # Without its packages: one of them may have a file that the interpreter executes when it starts.
            (str(interpreter.path), *_COMPILE, str(target / "lib")),
        )

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


def _write_inputs(packages: PackageList, folder: Path) -> None:
    """Write the list of packages, and the wheels that the index does not have."""
    (folder / "packages.txt").write_text(packages.install_text, encoding="utf-8")
    wheels = folder / "wheels"
    wheels.mkdir()
    for wheel in packages.wheels:
        (wheels / wheel.file.name).hardlink_to(wheel.file)


def _link_own_packages(packages: PackageList, target: Path) -> None:
    """Link the modules of the project's own wheels into a folder, which runs search before its source."""
    site = next((target / "lib").glob("python*/site-packages"), None)
    names = {name for wheel in packages.own for name in _list_modules(wheel.file)}
    if site is None or not names:
        return
    own = target / OWN_FOLDER
    own.mkdir()
    for name in names:
        if (site / name).exists():
            (own / name).symlink_to(os.path.relpath(site / name, own))


def _list_modules(wheel: Path) -> set[str]:
    """Return the names of the files and folders that a wheel installs for imports."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition("/")[0] for name in archive.namelist()}
    return {name for name in names if not name.endswith((".dist-info", ".data")) and name not in {"", ".."}}


def _check_size(folder: Path, limit: int) -> None:
    total = 0
    for parent, _, names in os.walk(folder):
        total += sum(os.lstat(os.path.join(parent, name)).st_size for name in names)  # noqa: PTH118
        if total > limit:
            message = (
                f"The environment is larger than {limit // 1024**2} MiB. Remove packages that are not needed."
            )
            raise EnvironmentBuildFailed(BuildFailure.TOO_LARGE, message)
