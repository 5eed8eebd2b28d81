"""Syntax errors of the YAML parser, as problems with a hint."""

from typing import Any

import yaml

from crewai_runner.domain.field_types import FORBIDDEN, describe_hidden_characters
from crewai_runner.domain.workflow_yaml.problems import Location, Problems

_MAX_REPORTED = 20
_SPECIAL_STARTS = ("{", "*", "&", "!", "|", ">", "%", "@", "`")

# The hint of the first phrase that occurs in the parser's message is used.
_HINTS = (
    ("found unexpected end of stream", "This quote is never closed."),
    ("found unexpected document indicator", "This quote is never closed."),
    (
        "mapping values are not allowed",
        "A `:` is not allowed here. Put the text in quotes if it contains `: `, or fix the indentation.",
    ),
    ("could not find expected ':'", "This line has no `:`. Write `key: value`, or indent it below its key."),
    ("while parsing a flow sequence", "A `,` or the closing `]` of this `[` is missing."),
    ("while parsing a flow mapping", "A `,` or the closing `}` of this `{` is missing."),
    ("while parsing a flow node", "Something is missing between `,`, `[` or `{`."),
    (
        "while parsing a block collection",
        "Wrong indentation: this is neither a `- ` item of the list above nor indented below it.",
    ),
    (
        "while parsing a block mapping",
        "Wrong indentation: align this key with the keys above it, or indent it further.",
    ),
    ("unknown escape character", "An unknown `\\` escape. Double the backslash, or use single quotes."),
    (
        "while scanning an alias",
        "A `*` needs a name after it. Put the text in quotes if it starts with `*`.",
    ),
    (
        "while scanning an anchor",
        "An `&` needs a name after it. Put the text in quotes if it starts with `&`.",
    ),
    ("tag", "A `!` begins a tag. Put the text in quotes if it starts with `!`."),
    ("a block scalar", "The `|` or `>` that begins a block of text is malformed."),
    ("incompatible YAML document", "Only YAML 1.x is supported. Remove the `%YAML` line."),
)
# For these, the start of the construct is more useful than the position where the parser stopped.
_REPORTED_AT_START = ("quoted scalar", "flow sequence", "flow mapping", "simple key")


def find_forbidden_characters(text: str, problems: Problems) -> bool:
    """Report characters that YAML does not allow; True when there are any."""
    found = False
    for number, match in enumerate(FORBIDDEN.finditer(text)):
        found = True
        if number == _MAX_REPORTED:
            break
        message = f"The character U+{ord(match[0]):04X} cannot be part of a document. Remove it."
        problems.error(Location(match.start(), ""), "control-character", message)
    return found


def report_syntax_error(error: yaml.YAMLError, text: str, skip: int, problems: Problems) -> None:
    """Report a syntax error at the position where the author can fix it."""
    reason = " ".join(str(getattr(error, name, None) or "") for name in ("context", "problem"))
    mark: Any = getattr(error, "problem_mark", None)
    start: Any = getattr(error, "context_mark", None)
    if (
        start is not None
        and "escape" not in reason
        and any(phrase in reason for phrase in _REPORTED_AT_START)
    ):
        mark = start
    index = min(int(mark.index) + skip if mark is not None else 0, len(text))
    problems.error(Location(index, ""), "syntax", _find_hint(reason, text, index))


def _find_hint(reason: str, text: str, index: int) -> str:
    if "cannot start any token" in reason:
        char = text[index : index + 1]
        if char == "\t":
            return "A tab cannot indent YAML. Use spaces."
        return f"A value cannot start with `{char}`. Put it in quotes."
    line = text[text.rfind("\n", 0, index) + 1 :].partition("\n")[0]
    hidden = describe_hidden_characters(line.strip("\r").replace("\u200d", ""))
    if hidden is not None:
        return f"This line is not valid YAML: {hidden.replace('it contains', 'it has')}. Remove it."
    value = line.partition(": ")[2].strip()
    if value[:1] in _SPECIAL_STARTS and "mapping values" not in reason:
        return f"The text begins with `{value[0]}`, which YAML reserves. Put the whole text in quotes."
    for phrase, hint in _HINTS:
        if phrase in reason:
            return hint
    return "This is not valid YAML."
