"""Packages that exist only as source code: offered to uv, and built when uv chooses them.

uv resolves wheels only, because the metadata of a source distribution may need its code to be executed. So
each version without a wheel is offered as an empty wheel with that name and version. When uv chooses one, it
is built in the sandbox and takes the place of the empty one; uv resolves again with its true dependencies.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from crewai_runner.executor.projects.build.build_allowance import BuildAllowance
from crewai_runner.executor.projects.build.build_log import BuildLog
from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed
from crewai_runner.executor.projects.build.interpreters import Interpreter
from crewai_runner.executor.projects.build.package_index import IndexFile, PackageIndex
from crewai_runner.executor.projects.build.package_list import BuiltWheel, name_pin, split_entries
from crewai_runner.executor.projects.build.stub_wheels import write_stub
from crewai_runner.executor.projects.build.wheel_builder import SourceCode, WheelBuilder

MAX_VERSIONS = 200


@dataclass(frozen=True, slots=True)
class _Release:
    """A version of a package of which the index has the source, but no wheel for the interpreter."""

    version: Version
    source: IndexFile
    has_wheels: bool
    """Whether there are wheels for others: its code is probably compiled."""


@dataclass(slots=True)
class SourcePackages:
    """The source packages of one environment, for one interpreter. Wheels are in `folder`."""

    index: PackageIndex
    builder: WheelBuilder
    folder: Path
    interpreter: Interpreter
    newest: date | None
    log: BuildLog
    allowance: BuildAllowance
    _asked: set[tuple[str, bool]] = field(default_factory=set)
    _releases: dict[str, _Release] = field(default_factory=dict)
    _stubs: dict[str, Path] = field(default_factory=dict)
    _built: dict[str, BuiltWheel] = field(default_factory=dict)
    _failed: set[str] = field(default_factory=set)
    failure: EnvironmentBuildFailed | None = None
    """Why the last build that failed has failed."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of uv that let it see what is offered."""
        return ("--find-links", str(self.folder)) if self._releases or self._built else ()

    async def offer(self, names: Iterable[str], *, with_compiled: bool = False) -> bool:
        """Offer the versions of packages without a wheel; return whether there are any that are new.

        Versions that have wheels for other machines are left out unless `with_compiled`: another interpreter
        or version is quicker than a compiler. Raises EnvironmentBuildFailed.
        """
        is_new = False
        for name in sorted(names):
            if (name, with_compiled) not in self._asked:
                self._asked.add((name, with_compiled))
                files = await self.index.list_files(name)
                releases = await asyncio.to_thread(_list_releases, name, files, self.interpreter)
                wanted = [one for one in releases if with_compiled or not one.has_wheels]
                is_new |= await asyncio.to_thread(self._write_stubs, name, self._cap(wanted))
        return is_new

    async def build_chosen(self, listing: str) -> bool:
        """Build the offered packages that are in a list; return whether there were any: resolve again.

        The first one that fails ends the list: uv may choose other versions of all. Raises
        EnvironmentBuildFailed.
        """
        pins = [pin for pin in map(name_pin, split_entries(listing)) if pin in self._releases]
        self.allowance.check_packages(pins)
        for pin in pins:
            release = self._releases.pop(pin)
            name = pin.partition("==")[0]
            self._stubs.pop(pin).unlink()
            try:
                with self.allowance.count(name, self.interpreter.version):
                    self._built[pin] = await self._build(name, release)
            except EnvironmentBuildFailed as error:
                if error.cause in {BuildFailure.DISK_FULL, BuildFailure.INDEX_UNREACHABLE}:
                    raise
                self.failure = error
                self._failed.add(pin)
                self.log.write(error.detail)
            if self.allowance.has_given_up(name, self.interpreter.version):
                self._withdraw(name)
            if pin in self._failed:
                break
        return bool(pins)

    def _withdraw(self, name: str) -> None:
        """Offer no further versions of a package."""
        left = [pin for pin in self._releases if pin.partition("==")[0] == name]
        if left:
            self.log.write(f"No further version of {name} is built from its source.")
        for pin in left:
            self._stubs.pop(pin).unlink()
            del self._releases[pin]

    def list_built(self, listing: str) -> tuple[BuiltWheel, ...]:
        """Return the wheels that were built for packages in a list."""
        pins = map(name_pin, split_entries(listing))
        return tuple(self._built[pin] for pin in pins if pin in self._built)

    async def _build(self, name: str, release: _Release) -> BuiltWheel:
        file, version = release.source, str(release.version)
        archive = self.folder.with_name(f"{self.folder.name}-{file.sha256}")
        await self.index.download(file, archive)
        source = SourceCode(name, version, archive, file.sha256, file.uploaded)
        wheel = await self.builder.build(source, self.interpreter, self.log)
        await asyncio.to_thread((self.folder / wheel.file.name).hardlink_to, wheel.file)
        return wheel

    def _cap(self, releases: list[_Release]) -> list[_Release]:
        """Return the releases up to the day of the project's last change, or all of them if there is none."""
        newest = self.newest
        if newest is None:
            return releases
        known = [one for one in releases if one.source.uploaded is None or one.source.uploaded <= newest]
        return known or releases

    def _write_stubs(self, name: str, releases: list[_Release]) -> bool:
        self.folder.mkdir(exist_ok=True)
        is_new = False
        if self.allowance.has_given_up(name, self.interpreter.version):
            return False
        for release in releases[:MAX_VERSIONS]:
            pin = f"{name}=={release.version}"
            if pin not in self._failed and pin not in self._releases and pin not in self._built:
                self._stubs[pin] = write_stub(self.folder, name, str(release.version))
                self._releases[pin] = release
                is_new = True
        return is_new


def _list_releases(name: str, files: list[IndexFile], interpreter: Interpreter) -> list[_Release]:
    """Return the versions of a package without a usable wheel, newest first."""
    tags = frozenset(_list_tags(interpreter))
    sources: dict[Version, IndexFile] = {}
    wheels: dict[Version, bool] = {}
    for file in files:
        if file.is_yanked:
            continue
        try:
            if file.name.endswith(".whl"):
                _, version, _, supported = parse_wheel_filename(file.name)
                wheels[version] = wheels.get(version, False) or not tags.isdisjoint(supported)
            elif file.name.endswith((".tar.gz", ".zip")) and _fits(file.requires_python, interpreter):
                found, version = parse_sdist_filename(file.name)
                if found == name:
                    sources[version] = file
        except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
            continue
    return [
        _Release(version, sources[version], has_wheels=version in wheels)
        for version in sorted(sources, reverse=True)
        if not wheels.get(version, False)
    ]


def _list_tags(interpreter: Interpreter) -> Iterator[Tag]:
    major, minor, *_ = map(int, interpreter.version.split("."))
    yield from cpython_tags((major, minor))
    yield from compatible_tags((major, minor), f"cp{major}{minor}")


def _fits(requires_python: str | None, interpreter: Interpreter) -> bool:
    try:
        return SpecifierSet(requires_python or "").contains(interpreter.version, prereleases=True)
    except InvalidSpecifier:
        return True
