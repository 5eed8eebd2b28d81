"""Packages of the project itself that an environment has: compiled ones, and metadata that code reads."""

import asyncio
import hashlib
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed
from crewai_runner.executor.projects.build.package_list import BuiltWheel, PackageList
from crewai_runner.executor.projects.build.stub_wheels import write_stub
from crewai_runner.executor.projects.build.wheel_builder import SourceCode, WheelBuilder

_VARIABLES = {"SETUPTOOLS_SCM_PRETEND_VERSION": "0.0.0", "POETRY_DYNAMIC_VERSIONING_BYPASS": "0.0.0"}
"""The version of packages that take it from the history of a repository, which an archive does not have."""


@dataclass(frozen=True, slots=True)
class OwnPackages:
    """Adds packages of the project in `root` to lists. `folder` is that of the build."""

    root: Path
    folder: Path
    builder: WheelBuilder | None
    log: BuildLog

    async def build(
        self, folders: tuple[str, ...], packages: PackageList, newest: date | None
    ) -> PackageList:
        """Build the packages in folders of the project. Raises EnvironmentBuildFailed."""
        if self.builder is None:
            message = f"The code in {', '.join(folders)} has to be built, and no sandbox is configured."
            raise EnvironmentBuildFailed(BuildFailure.SOURCE_BUILD, message)
        wheels = []
        for path in folders:
            content = self.root / path
            digest = await asyncio.to_thread(_hash_tree, content)
            title = "the project" if path == "." else path
            source = SourceCode(title, None, content, digest, newest, _VARIABLES)
            wheels.append(await self.builder.build(source, packages.interpreter, self.log))
        return packages.with_own_wheels(tuple(wheels))

    def add_metadata(self, pin: str, packages: PackageList) -> PackageList:
        """Add the metadata of a package as `name==version`, unless the list has that package. Blocks."""
        name, _, version = pin.partition("==")
        if packages.find_version(name) is not None:
            return packages
        file = write_stub(self.folder, name, version)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return packages.with_own_wheels((BuiltWheel(name, version, digest, file, digest),))


def _hash_tree(folder: Path) -> str:
    """Return a hash of the files in a folder. It differs from that of any archive."""
    digest = hashlib.sha256(b"folder\0")
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()
