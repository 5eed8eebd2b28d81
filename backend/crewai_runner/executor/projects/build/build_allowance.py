"""How much may be built from source for one environment, so that a hopeless build fails soon."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from crewai_runner.executor.projects.build.failures import BuildFailure, EnvironmentBuildFailed

MAX_BUILDS = 20
MAX_FAILED_VERSIONS = 2
"""Of one package with one interpreter: other versions mostly fail for the same reason."""
MAX_BUILT_VERSIONS = 3
"""Of one package with one interpreter: if the dependencies of these cannot be met, those of others cannot."""
MAX_FAILED_BUILDS = 5
MAX_SECONDS = 900.0
"""The time of all builds together; one that has begun has a limit of its own."""
_SHOWN = 30
_ADVICE = "Choose versions that have wheels for this Python, or remove what the project does not need."


@dataclass(slots=True)
class BuildAllowance:
    """Counts the builds of one environment, over all interpreters that are tried."""

    seconds: float = 0.0
    builds: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By the name of a package and the version of an interpreter."""
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of these, those that have failed."""

    def check_packages(self, pins: Sequence[str]) -> None:
        """Refuse to begin if all of these packages cannot be built. Raises EnvironmentBuildFailed.

        What has failed before is named instead of building more, since an environment needs all of them.
        """
        if self.builds.total() - self.failures.total() + len(pins) > MAX_BUILDS:
            more = f", and {len(pins) - _SHOWN} more" if len(pins) > _SHOWN else ""
            raise EnvironmentBuildFailed(
                BuildFailure.NO_WHEEL,
                f"{len(pins)} packages of the project exist only as source code, and at most {MAX_BUILDS} "
                f"are built for one environment: {', '.join(pins[:_SHOWN])}{more}. {_ADVICE}",
            )
        if pins and (self.failures.total() >= MAX_FAILED_BUILDS or self.seconds >= MAX_SECONDS):
            failed = ", ".join(sorted({name for name, _ in self.failures})) or "none"
            raise EnvironmentBuildFailed(
                BuildFailure.SOURCE_BUILD,
                f"Building packages from their source took {self.builds.total()} builds and "
                f"{self.seconds:.0f} s; those that failed: {failed}. "
                f"Still to be built: {', '.join(pins[:_SHOWN])}. {_ADVICE}",
            )

    def has_given_up(self, name: str, python: str) -> bool:
        """Return whether the limit of versions to try of a package is reached."""
        has_failed = self.failures[name, python] >= MAX_FAILED_VERSIONS
        return has_failed or self.builds[name, python] >= MAX_BUILT_VERSIONS

    @contextlib.contextmanager
    def count(self, name: str, python: str) -> Iterator[None]:
        """Count the build of a package for an interpreter in this context."""
        self.builds[name, python] += 1
        started = time.monotonic()
        try:
            yield
        except EnvironmentBuildFailed:
            self.failures[name, python] += 1
            raise
        finally:
            self.seconds += time.monotonic() - started
