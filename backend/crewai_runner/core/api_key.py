"""The API key of an embedded server: made once, kept in a 0600 file."""

import os
import secrets
from pathlib import Path


def read_or_create_api_key(path: Path) -> tuple[str, bool]:
    """The key, and whether it was made just now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip(), False
    key = "cr_" + secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
    return key, True
