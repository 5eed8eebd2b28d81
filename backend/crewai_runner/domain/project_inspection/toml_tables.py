"""Reads TOML files of projects."""

import tomllib
from collections.abc import Mapping
from typing import Any

_MAX_LENGTH = 8 * 1024**2
_MAX_DOTS = 200


def read_toml(text: str) -> dict[str, Any]:
    """Return the document; empty if it cannot be read."""
    # A key of many parts takes tomllib quadratic time.
    if len(text) > _MAX_LENGTH or any(line.count(".") > _MAX_DOTS for line in text.splitlines()):
        return {}
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def find_table(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the table at a path of names; empty if there is none."""
    value: Any = document
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
