"""Problems of a document: what is wrong, where, and how to fix it."""

import difflib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel

MAX_PROBLEMS = 500
_MAX_SUGGESTIONS = 100
_MAX_COMPARED_LENGTH = 64


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(ApiModel):
    """One finding, with its position in the text."""

    line: int = Field(description="Counts from 1; 0 when there is no text.")
    column: int = Field(description="Counts from 1; 0 when there is no text.")
    path: str = Field(description="Where in the document, such as `tasks.research.agent`.")
    code: str = Field(description="A stable slug such as `unknown-agent`.")
    message: str = Field(description="What is wrong and how to fix it.")
    suggestion: str | None = Field(None, description="What was probably meant.")
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Location:
    """A position in the text (an index; -1 without text) and the path to it in the document."""

    index: int
    path: str

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path.rsplit(".", 1)[-1]

    def to(self, name: str, index: int | None = None) -> "Location":
        """Return the location of the member `name`."""
        path = f"{self.path}.{name}" if self.path else name
        return Location(self.index if index is None else index, path)

    def item(self, number: int, index: int) -> "Location":
        """Return the location of the item `number` (from 0) of a list."""
        return Location(index, f"{self.path}[{number}]")


class Problems:
    """Collects the problems of one document, and computes lines and columns from its text."""

    def __init__(self, text: str | None = None) -> None:
        self._starts = _line_starts(text) if text is not None else None
        self._found: list[tuple[int, Problem]] = []
        self._omitted = 0
        self._suggested = 0

    def error(self, location: Location, code: str, message: str, suggestion: str | None = None) -> None:
        self._add(location, code, message, suggestion, Severity.ERROR)

    def warn(self, location: Location, code: str, message: str, suggestion: str | None = None) -> None:
        self._add(location, code, message, suggestion, Severity.WARNING)

    def nearest(self, name: str, names: Iterable[str]) -> str | None:
        """Return the most similar of the names, if one is close. Compares a bounded number of names."""
        self._suggested += 1
        if self._suggested > _MAX_SUGGESTIONS or len(name) > _MAX_COMPARED_LENGTH:
            return None
        candidates = {known.lower(): known for known in names if len(known) <= _MAX_COMPARED_LENGTH}
        close = difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.6)
        return candidates[close[0]] if close else None

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for _, problem in self._found)

    def errors(self) -> list[Problem]:
        """Return the errors by position. When there are too many, the last one says how many were omitted."""
        found = self._sorted(Severity.ERROR)
        if self._omitted:
            line, column = self._position(0)
            message = f"{self._omitted} more problems are not shown. Fix these first."
            found.append(
                Problem(line=line, column=column, path="", code="too-many-problems", message=message)
            )
        return found

    def warnings(self) -> list[Problem]:
        """Return the warnings by position."""
        return self._sorted(Severity.WARNING)

    def line_of(self, index: int) -> int:
        """Return the line of a position in the text, from 1; 0 without a text or position."""
        return self._position(index)[0]

    def _sorted(self, severity: Severity) -> list[Problem]:
        ordered = sorted(self._found, key=lambda pair: pair[0])
        return [problem for _, problem in ordered if problem.severity is severity]

    def _add(
        self, location: Location, code: str, message: str, suggestion: str | None, severity: Severity
    ) -> None:
        if len(self._found) >= MAX_PROBLEMS:
            self._omitted += 1
            return
        line, column = self._position(location.index)
        problem = Problem(
            line=line,
            column=column,
            path=location.path,
            code=code,
            message=message,
            suggestion=suggestion,
            severity=severity,
        )
        # An alias is read once for each use and would repeat the problems of its anchor.
        if (location.index, problem) not in self._found[-8:]:
            self._found.append((location.index, problem))

    def _position(self, index: int) -> tuple[int, int]:
        if self._starts is None or index < 0:
            return 0, 0
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


def did_you_mean(suggestion: str | None) -> str:
    """Return a sentence to append to a message, empty without a suggestion."""
    return f" Did you mean `{suggestion}`?" if suggestion else ""


def _line_starts(text: str) -> list[int]:
    # Count lines as editors do, without YAML's other line breaks (NEL, LS, PS).
    starts = [0]
    for number, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[number + 1 : number + 2] != "\n"):
            starts.append(number + 1)
    return starts
