"""Unique names of workflows."""

import re
from collections.abc import Collection

MAX_NAME_LENGTH = 100


def strip_number(name: str) -> str:
    """Remove the number at the end of a name, and shorten the name so that another number fits."""
    return re.sub(r" \d{1,6}$", "", name)[: MAX_NAME_LENGTH - 8].rstrip()


def suggest_unused_name(name: str, used: Collection[str]) -> str:
    """Return the name with the first unused number, starting at 2."""
    base, number = strip_number(name), 2
    while f"{base} {number}" in used:
        number += 1
    return f"{base} {number}"
