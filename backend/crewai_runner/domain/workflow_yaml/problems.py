"""What is wrong with a document, where, and how to mend it."""

import difflib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from crewai_runner.core.api_model import ApiModel

MAX_PROBLEMS = 500
_MAX_SUGGESTIONS = 100
_MAX_COMPARED = 64


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(ApiModel):
    """One finding, at a place in the text."""

    line: int = Field(description="Counts from 1; 0 when there is no text.")
    column: int = Field(description="Counts from 1; 0 when there is no text.")
    path: str = Field(description="Where in the document, such as `tasks.research.agent`.")
    code: str = Field(description="A stable slug such as `unknown-agent`.")
    message: str = Field(description="What is wrong and how to mend it.")
    suggestion: str | None = Field(None, description="What was probably meant.")
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in the document: how far into the text (-1: no text) and the path to it."""

    index: int
    path: str

    def to(self, name: str, index: int | None = None) -> "Place":
        """The member `name` of what stands here."""
        path = f"{self.path}.{name}" if self.path else name
        return Place(self.index if index is None else index, path)

    def item(self, number: int, index: int) -> "Place":
        """The item `number` (from 0) of the list that stands here."""
        return Place(index, f"{self.path}[{number}]")


class Problems:
    """Collects the findings of one document, and knows the lines of its text."""

    def __init__(self, text: str | None = None) -> None:
        self._starts = _line_starts(text) if text is not None else None
        self._found: list[tuple[int, Problem]] = []
        self._left_out = 0
        self._suggested = 0

    def error(self, place: Place, code: str, message: str, suggestion: str | None = None) -> None:
        self._add(place, code, message, suggestion, Severity.ERROR)

    def warn(self, place: Place, code: str, message: str, suggestion: str | None = None) -> None:
        self._add(place, code, message, suggestion, Severity.WARNING)

    def nearest(self, name: str, names: Iterable[str]) -> str | None:
        """The name that was probably meant, if one is close. Looks at a bounded number of names."""
        self._suggested += 1
        if self._suggested > _MAX_SUGGESTIONS or len(name) > _MAX_COMPARED:
            return None
        pool = {known.lower(): known for known in names if len(known) <= _MAX_COMPARED}
        close = difflib.get_close_matches(name.lower(), pool, n=1, cutoff=0.6)
        return pool[close[0]] if close else None

    @property
    def any_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for _, problem in self._found)

    def errors(self) -> list[Problem]:
        """By position. When there are too many, the last says how many were left out."""
        found = self._sorted(Severity.ERROR)
        if self._left_out:
            found.append(self._more())
        return found

    def warnings(self) -> list[Problem]:
        return self._sorted(Severity.WARNING)

    def _sorted(self, severity: Severity) -> list[Problem]:
        ordered = sorted(self._found, key=lambda pair: pair[0])
        return [problem for _, problem in ordered if problem.severity is severity]

    def _add(self, place: Place, code: str, message: str, suggestion: str | None, severity: Severity) -> None:
        if len(self._found) >= MAX_PROBLEMS:
            self._left_out += 1
            return
        line, column = self._position(place.index)
        problem = Problem(
            line=line,
            column=column,
            path=place.path,
            code=code,
            message=message,
            suggestion=suggestion,
            severity=severity,
        )
        if (place.index, problem) not in self._found[-8:]:
            self._found.append((place.index, problem))

    def _position(self, index: int) -> tuple[int, int]:
        if self._starts is None or index < 0:
            return 0, 0
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def _more(self) -> Problem:
        line, column = self._position(0)
        message = f"{self._left_out} more problems are not shown. Mend these first."
        return Problem(line=line, column=column, path="", code="too-many-problems", message=message)


def did_you_mean(suggestion: str | None) -> str:
    """A sentence to put behind a message, or nothing."""
    return f" Did you mean `{suggestion}`?" if suggestion else ""


def shown(text: str, limit: int = 60) -> str:
    """A piece of the document, short enough to be quoted in a message."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def _line_starts(text: str) -> list[int]:
    # Lines as editors count them; YAML's further line breaks (NEL, LS, PS) would shift every row below.
    starts = [0]
    for number, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[number + 1 : number + 2] != "\n"):
            starts.append(number + 1)
    return starts
