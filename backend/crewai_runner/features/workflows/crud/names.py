"""Unique names of workflows."""

import re
from collections.abc import Collection

MAX_NAME_LENGTH = 100


def base_name(name: str) -> str:
    """A name without the number at its end, short enough for another number."""
    return re.sub(r" \d{1,6}$", "", name)[: MAX_NAME_LENGTH - 8].rstrip()


def unused_name(name: str, used: Collection[str]) -> str:
    """The name with the first number from 2 that is not used."""
    base, number = base_name(name), 2
    while f"{base} {number}" in used:
        number += 1
    return f"{base} {number}"
