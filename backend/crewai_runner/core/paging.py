"""Opaque cursors for keyset paging."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.ids import Prefix, has_prefix

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `next_cursor` is None on the last one."""

    items: Sequence[Item]
    next_cursor: str | None


def encode_cursor(*keys: str | int) -> str:
    """Encode the sort keys of the last row as URL-safe text."""
    packed = json.dumps(keys, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> list[str | int]:
    """Decode a cursor of `size` sort keys. Raises BadRequest for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        keys = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error, UnicodeError, RecursionError):
        keys = None
    if not isinstance(keys, list) or len(keys) != size or not all(type(k) in (str, int) for k in keys):
        raise _invalid_cursor()
    return keys


def decode_id_cursor(cursor: str | None, prefix: Prefix) -> str | None:
    """Decode the cursor of a list ordered by id; None for the first page. Raises BadRequest."""
    if cursor is None:
        return None
    identifier = str(decode_cursor(cursor, 1)[0])
    if not has_prefix(identifier, prefix):
        raise _invalid_cursor()
    return identifier


def make_page(rows: Sequence[Item], limit: int, get_id: Callable[[Item], str]) -> Page[Item]:
    """Build a page from the result of a query for `limit + 1` rows, ordered by id."""
    items = rows[:limit]
    return Page(items, encode_cursor(get_id(items[-1])) if len(rows) > limit else None)


def _invalid_cursor() -> BadRequest:
    return BadRequest("The cursor is not valid; start again without it.")
