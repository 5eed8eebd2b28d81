"""Why an environment could not be built."""

import re
from enum import StrEnum

from crewai_runner.core.errors import Unprocessable


class BuildFailure(StrEnum):
    NO_PYTHON = "no-python"
    NO_SOLUTION = "no-solution"
    NO_WHEEL = "no-wheel"
    SOURCE_BUILD = "source-build"
    NOT_ON_INDEX = "not-on-index"
    INDEX_UNREACHABLE = "index-unreachable"
    TOO_LARGE = "too-large"
    TIMEOUT = "timeout"
    DISK_FULL = "disk-full"
    OTHER = "other"


class EnvironmentBuildFailed(Unprocessable):
    """The environment of a project cannot be built; `cause` says why, the log has the details."""

    slug = "environment-build-failed"
    title = "Environment was not built"

    def __init__(self, cause: BuildFailure, detail: str) -> None:
        super().__init__(detail, cause=cause.value)
        self.cause = cause


_CAUSES: tuple[tuple[re.Pattern[str], BuildFailure], ...] = (
    (re.compile(r"No space left on device|os error 28"), BuildFailure.DISK_FULL),
    (
        re.compile(r"Wheels are required for|no usable wheels?|building from source is disabled"),
        BuildFailure.NO_WHEEL,
    ),
    (
        re.compile(
            r"error sending request|dns error|Failed to fetch|Could not connect|timed out", re.IGNORECASE
        ),
        BuildFailure.INDEX_UNREACHABLE,
    ),
    (re.compile(r"No solution found|requirements are unsatisfiable"), BuildFailure.NO_SOLUTION),
)
_MESSAGES = {
    BuildFailure.DISK_FULL: "The disk is full. Free space, or remove unused environments.",
    BuildFailure.NO_WHEEL: "A package exists only as source code for this Python, and could not be built. "
    "Choose a version with a wheel, or another Python.",
    BuildFailure.INDEX_UNREACHABLE: "The package index cannot be reached. Check INDEX_URL and the network.",
    BuildFailure.NO_SOLUTION: "No versions of the packages meet all requirements. The log names those in "
    "conflict: loosen their pins.",
    BuildFailure.OTHER: "uv ended with an error. The log has its message.",
}


def explain_output(lines: list[str]) -> EnvironmentBuildFailed:
    """Return the error that the output of uv describes."""
    text = "\n".join(lines)
    cause = next((cause for pattern, cause in _CAUSES if pattern.search(text)), BuildFailure.OTHER)
    return EnvironmentBuildFailed(cause, _MESSAGES[cause])
