"""The API key of a server: given by a setting, or made once and kept in a 0600 file."""

import os
import secrets
from pathlib import Path

from crewai_runner.core.settings import Settings

API_KEY_FILE = "api-key"


def load_api_key(settings: Settings) -> tuple[str, bool]:
    """The API key, and whether it was made just now."""
    if settings.api_key and settings.api_key.get_secret_value():
        return settings.api_key.get_secret_value(), False
    return _read_or_create(settings.data_dir / API_KEY_FILE)


def _read_or_create(path: Path) -> tuple[str, bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip(), False
    key = "cr_" + secrets.token_urlsafe(32)
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
    return key, True
