"""The data folder: there, writable, nobody else's, with room; its keys well kept."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography.fernet import Fernet

from crewai_runner.core.api_key import API_KEY_FILE
from crewai_runner.core.secret_key import SECRET_KEY_FILE, key_fingerprint, load_secret_keys
from crewai_runner.core.settings import Settings
from crewai_runner.operations.doctor.finding import Finding, fail, ok, warn

LEAST_FREE_BYTES = 50 * 1024**2
LITTLE_FREE_BYTES = 1024**3


def data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    if not folder.is_dir():
        yield warn("folder", f"{folder} is not there", "the first start makes it; or DATA_DIR is wrong")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fail("folder", f"{folder} cannot be written to", "give it to the user that runs the server")
    elif others := _open_to_others(folder):
        yield warn("folder", f"{folder} is open to others (mode {others})", f"chmod 700 {folder}")
    else:
        yield ok("folder", f"{folder} is writable and its owner's only")
    yield _room(folder)


def _open_to_others(path: Path) -> str | None:
    """The mode in octal when group or others may do something."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:o}" if mode & 0o077 else None


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    told = f"{free // 1024**2:,} MiB free"
    if free < LEAST_FREE_BYTES:
        return fail("disk", told, "free some: below 50 MiB the server counts as not ready")
    if free < LITTLE_FREE_BYTES:
        return warn("disk", told, "free some before it runs full")
    return ok("disk", told)


def keys(settings: Settings) -> Iterator[Finding]:
    """The key files' modes, and whether what seals secrets is a key at all. Says fingerprints, never keys."""
    for name in (API_KEY_FILE, SECRET_KEY_FILE):
        path = settings.data_dir / name
        if path.is_file():
            others = _open_to_others(path)
            hint = f"chmod 600 {path}; if others may have read it, replace the key"
            yield fail(name, f"mode {others}, others may read it", hint) if others else ok(name, "mode 600")
    prints = [key_fingerprint(key) for key in load_secret_keys(settings)]
    if len(usable_keys(settings)) < len(prints):
        yield fail(
            "sealing", "a key in secret-key is no Fernet key", "put it back from where you keep the keys"
        )
    elif prints:
        yield ok("sealing", f"{len(prints)} key(s), the first seals: {', '.join(prints)}")
    else:
        yield warn(
            "sealing", "there is no sealing key yet", "the first start makes one, unless SECRET_KEY is set"
        )


def usable_keys(settings: Settings) -> list[str]:
    return [key for key in load_secret_keys(settings) if _is_key(key)]


def _is_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True
