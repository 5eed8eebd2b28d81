"""The packages without a wheel that are offered to uv while it resolves."""

from collections.abc import Callable
from dataclasses import dataclass, field

from crewai_runner.executor.projects.build.failures import EnvironmentBuildFailed
from crewai_runner.executor.projects.build.interpreters import Interpreter
from crewai_runner.executor.projects.build.package_list import PackageList
from crewai_runner.executor.projects.build.source_packages import SourcePackages

MakeSources = Callable[[Interpreter], SourcePackages]


@dataclass(slots=True)
class SourceOffers:
    """The packages without a wheel that are offered to uv, for each interpreter that is tried."""

    make_sources: MakeSources | None
    named: set[str] = field(default_factory=set)
    by_interpreter: dict[Interpreter, SourcePackages] = field(default_factory=dict)

    def _find(self, interpreter: Interpreter) -> SourcePackages | None:
        if self.make_sources is not None and interpreter not in self.by_interpreter:
            self.by_interpreter[interpreter] = self.make_sources(interpreter)
        return self.by_interpreter.get(interpreter)

    @property
    def failure(self) -> EnvironmentBuildFailed | None:
        """Why a chosen package was not built."""
        return next((one.failure for one in self.by_interpreter.values() if one.failure is not None), None)

    def list_arguments(self, interpreter: Interpreter) -> tuple[str, ...]:
        sources = self._find(interpreter)
        return () if sources is None else sources.arguments

    async def extend(self, interpreter: Interpreter, names: set[str]) -> bool:
        """Offer these packages; return whether there is anything new to choose from."""
        self.named |= names
        sources = self._find(interpreter)
        return sources is not None and await sources.offer(names)

    async def extend_with_compiled(self, interpreter: Interpreter) -> bool:
        """Offer, as a last resort, what probably needs a compiler."""
        sources = self._find(interpreter)
        return sources is not None and await sources.offer(self.named, with_compiled=True)

    async def build_chosen(self, packages: PackageList) -> bool:
        """Build what was offered and chosen; return whether uv has to resolve again."""
        sources = self._find(packages.interpreter)
        return sources is not None and await sources.build_chosen(packages.text)

    def add_wheels(self, packages: PackageList) -> PackageList:
        sources = self._find(packages.interpreter)
        return packages if sources is None else packages.with_wheels(sources.list_built(packages.text))
