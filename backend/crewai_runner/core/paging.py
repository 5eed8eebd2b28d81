"""Opaque cursors for keyset paging."""

import base64
import binascii
import json

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.ids import Prefix, has_prefix

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def encode_cursor(*keys: str | int) -> str:
    """Pack the last row's sort keys into a URL-safe text."""
    packed = json.dumps(keys, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_cursor(cursor: str, size: int) -> list[str | int]:
    """Unpack `size` sort keys.

    Raises BadRequest when the text is not a cursor of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        keys = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, binascii.Error, UnicodeError, RecursionError):
        keys = None
    if not isinstance(keys, list) or len(keys) != size or not all(type(k) in (str, int) for k in keys):
        raise _foreign()
    return keys


def decode_id_cursor(cursor: str | None, prefix: Prefix) -> str | None:
    """The id in the cursor of a list that is in order of ids; None for the first page.

    Raises BadRequest when the text is not a cursor of ours.
    """
    if cursor is None:
        return None
    identifier = str(decode_cursor(cursor, 1)[0])
    if not has_prefix(identifier, prefix):
        raise _foreign()
    return identifier


def _foreign() -> BadRequest:
    return BadRequest("The cursor is not one this API gave out; start again without it.")
