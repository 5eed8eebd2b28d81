"""Plain words for what a YAML parser says."""

from typing import Any

import yaml

from crewai_runner.domain.workflow_yaml.nodes import FORBIDDEN
from crewai_runner.domain.workflow_yaml.problems import Place, Problems

_MAX_SHOWN = 20

# The first phrase that is part of what the parser says decides.
_HINTS = (
    ("found unexpected end of stream", "A quote is opened here and never closed."),
    ("found unexpected document indicator", "A quote is opened here and never closed."),
    (
        "mapping values are not allowed",
        "A `:` where none may stand. Put the text in quotes if it contains `: `, or mend the indentation.",
    ),
    ("could not find expected ':'", "This line has no `:`. Write `key: value`, or indent it below its key."),
    ("while parsing a flow sequence", "A `[` is opened here: a `,` or the closing `]` is missing."),
    ("while parsing a flow mapping", "A `{` is opened here: a `,` or the closing `}` is missing."),
    ("while parsing a flow node", "Something is missing between `,`, `[` or `{`."),
    (
        "while parsing a block collection",
        "The indentation does not fit: this is neither a `- ` item of the list above nor indented below it.",
    ),
    (
        "while parsing a block mapping",
        "The indentation does not fit: line this key up with the keys above it, or indent it further.",
    ),
    ("unknown escape character", "An unknown `\\` escape. Double the backslash, or use single quotes."),
    (
        "while scanning an alias",
        "A `*` needs a name behind it. Put the text in quotes if it starts with `*`.",
    ),
    (
        "while scanning an anchor",
        "An `&` needs a name behind it. Put the text in quotes if it starts with `&`.",
    ),
    ("tag", "A `!` begins a tag. Put the text in quotes if it starts with `!`."),
    ("a block scalar", "The `|` or `>` that begins a block of text is not well formed."),
    ("incompatible YAML document", "Only YAML 1.x is read. Remove the `%YAML` line."),
)
# For these the place where the trouble began helps more than where it was noticed.
_FROM_THE_START = ("quoted scalar", "flow sequence", "flow mapping", "simple key")


def find_forbidden_characters(text: str, problems: Problems) -> bool:
    """Reports characters that no YAML may contain; True when there are any."""
    found = False
    for number, match in enumerate(FORBIDDEN.finditer(text)):
        found = True
        if number == _MAX_SHOWN:
            break
        message = f"The character U+{ord(match[0]):04X} cannot be part of a document. Remove it."
        problems.error(Place(match.start(), ""), "control-character", message)
    return found


def explain(error: yaml.YAMLError, text: str, skip: int, problems: Problems) -> None:
    """Report a syntax error where a person would look for it."""
    said = " ".join(str(getattr(error, name, None) or "") for name in ("context", "problem"))
    mark: Any = getattr(error, "problem_mark", None)
    began: Any = getattr(error, "context_mark", None)
    if began is not None and "escape" not in said and any(phrase in said for phrase in _FROM_THE_START):
        mark = began
    index = min(int(mark.index) + skip if mark is not None else 0, len(text))
    problems.error(Place(index, ""), "syntax", _hint(said, text, index))


def _hint(said: str, text: str, index: int) -> str:
    if "cannot start any token" in said:
        return _bad_start(text[index : index + 1])
    for phrase, hint in _HINTS:
        if phrase in said:
            return hint
    return "This is not valid YAML."


def _bad_start(char: str) -> str:
    if char == "\t":
        return "A tab cannot indent YAML. Use spaces."
    return f"A value cannot start with `{char}`. Put it in quotes."
