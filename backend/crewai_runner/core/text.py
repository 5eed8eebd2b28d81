"""Names, text and JSON from outside that every database can keep."""

import itertools
import math
import re
from collections.abc import Container
from typing import Annotated, Any

from pydantic import AfterValidator, JsonValue, StringConstraints

MAX_JSON_DEPTH = 32
"""Levels of nesting in free-form JSON."""


def check_single_line(text: str) -> str:
    """The text as it is. Raises ValueError when it holds a control character or half a character."""
    if any(not character.isprintable() for character in text):
        raise ValueError("must be one line of printable text")
    return text


def check_storable(value: Any, depth: int = 0) -> Any:
    """A JSON value as it is. Raises ValueError for what PostgreSQL or JSON itself cannot hold."""
    if depth > MAX_JSON_DEPTH:
        raise ValueError(f"must not be nested deeper than {MAX_JSON_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            check_storable(key, depth + 1)
            check_storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_storable(item, depth + 1)
    elif isinstance(value, str) and ("\x00" in value or _has_half_characters(value)):
        raise ValueError("must not hold NUL or unpaired surrogate characters")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must not hold NaN or infinite numbers")
    return value


def _has_half_characters(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def replace_unstorable(text: str) -> str:
    """The text with U+FFFD for each NUL and each half character, which no database or JSON text keeps."""
    return _UNSTORABLE.sub("\ufffd", text)


_HALF = re.compile("[\ud800-\udfff]")


def join_surrogates(text: str) -> str:
    """`replace_unstorable`, after joining surrogate pairs that streaming split into two characters."""
    if _HALF.search(text) is not None:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return replace_unstorable(text)


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(check_single_line),
]
"""What a person calls a thing: one line, 1 to 200 characters, no space around it."""


StorableText = Annotated[str, AfterValidator(check_storable)]
"""Text of any length and shape that every database can keep."""

JsonObject = Annotated[dict[str, JsonValue], AfterValidator(check_storable)]
"""Free-form JSON that every database can keep."""


def pick_unused_name(wanted: str, taken: Container[str]) -> str:
    """The wanted name, or the first like it that nobody has: `local`, `local (built-in 1)`."""
    candidates = itertools.chain([wanted], (f"{wanted} (built-in {n})" for n in itertools.count(1)))
    return next(name for name in candidates if name not in taken)
