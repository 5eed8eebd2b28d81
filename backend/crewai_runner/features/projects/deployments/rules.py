"""Fields of uploads, notes of versions and lines of logs. Pure functions."""

import re
from collections.abc import Sequence

NOTE = "crewai deploy"
MAX_NOTE_LENGTH = 500
_VARIABLE = re.compile(r"env\[([^\[\]]*)\]")
_TAG = re.compile(r"(?<!\\)(\\*+)(\[[a-zA-Z/@#][^\[\]]*+\])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def parse_variable(field: str) -> str | None:
    """Return the name of the variable that a field `env[NAME]` sets; None for other fields."""
    matched = _VARIABLE.fullmatch(field)
    return None if matched is None else matched[1]


def describe_left_out(names: Sequence[str]) -> str:
    """Return the note of a version: how it came, and which variables could not be taken."""
    left_out = f". Variables that cannot be set were left out: {', '.join(names)}" if names else ""
    return _CONTROL.sub("\ufffd", NOTE + left_out)[:MAX_NOTE_LENGTH]


def escape_markup(text: str) -> str:
    """Escape what Rich would read as markup: it would swallow `crewai[tools]`, and fail at `[/tmp]`."""
    return _TAG.sub(lambda tag: f"{tag[1]}{tag[1]}\\{tag[2]}", text)
