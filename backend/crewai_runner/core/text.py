"""Validation of names, text and JSON so that both databases can store them."""

import itertools
import math
import re
from collections.abc import Container
from typing import Annotated, Any

from pydantic import AfterValidator, JsonValue, StringConstraints

MAX_JSON_DEPTH = 32
"""Levels of nesting in free-form JSON."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def check_single_line(text: str) -> str:
    """Return the text. Raises ValueError when a character is not printable."""
    if not text.isprintable():
        raise ValueError("must be one line of printable text")
    return text


def check_storable(value: Any, depth: int = 0) -> Any:
    """Return the JSON value. Raises ValueError for what PostgreSQL or JSON cannot represent."""
    if depth > MAX_JSON_DEPTH:
        raise ValueError(f"must not be nested deeper than {MAX_JSON_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            check_storable(key, depth + 1)
            check_storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_storable(item, depth + 1)
    elif isinstance(value, str) and _UNSTORABLE.search(value):
        raise ValueError("must not hold NUL or unpaired surrogate characters")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must not hold NaN or infinite numbers")
    return value


def replace_unstorable(text: str) -> str:
    """Replace NUL and surrogate characters by U+FFFD: neither the databases nor JSON can represent them."""
    return _UNSTORABLE.sub("\ufffd", text)


def join_surrogates(text: str) -> str:
    """`replace_unstorable`, after joining surrogate pairs that streaming split into two characters."""
    if _SURROGATE.search(text) is not None:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return replace_unstorable(text)


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(check_single_line),
]
"""The name of an object: one line of 1 to 200 characters without surrounding space."""

StorableText = Annotated[str, AfterValidator(check_storable)]
"""Text that both databases can store."""

JsonObject = Annotated[dict[str, JsonValue], AfterValidator(check_storable)]
"""Free-form JSON that both databases can store."""


def pick_unused_name(wanted: str, taken: Container[str]) -> str:
    """Return the wanted name, numbered when it is taken: `local`, `local (built-in 1)`."""
    candidates = itertools.chain([wanted], (f"{wanted} (built-in {n})" for n in itertools.count(1)))
    return next(name for name in candidates if name not in taken)


def decode_text(content: bytes) -> str:
    """Decode a file as editors save it: UTF-8, or UTF-16 with a byte order mark, which is removed.

    Raises UnicodeDecodeError.
    """
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if is_utf16 else "utf-8-sig")
