"""Unique names of workflows."""

import re
import unicodedata
from collections.abc import Collection

MAX_NAME_LENGTH = 100
MAX_SLUG_LENGTH = 60
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")
_SLUG = re.compile(r"[a-z0-9-]{1,80}")


def strip_number(name: str) -> str:
    """Remove the number at the end of a name, and shorten the name so that another number fits."""
    return re.sub(r" \d{1,6}$", "", name)[: MAX_NAME_LENGTH - 8].rstrip()


def suggest_unused_name(name: str, used: Collection[str]) -> str:
    """Return the name with the first unused number, starting at 2."""
    base, number = strip_number(name), 2
    while f"{base} {number}" in used:
        number += 1
    return f"{base} {number}"


def make_slug(name: str, used: Collection[str] = ()) -> str:
    """Return an unused name for addresses: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = _NOT_IN_SLUGS.sub("-", plain).strip("-")[:MAX_SLUG_LENGTH].strip("-") or "workflow"
    slug, number = base, 2
    while slug in used:
        slug, number = f"{base}-{number}", number + 1
    return slug


def is_slug(text: str) -> bool:
    """Return whether a workflow can have this slug."""
    return _SLUG.fullmatch(text) is not None
