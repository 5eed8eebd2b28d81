"""Checks of the data folder: existence, permissions, disk space, key files."""

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

MIN_FREE_BYTES = 50 * 1024**2
LOW_FREE_BYTES = 1024**3


def check_data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    if not folder.is_dir():
        yield warn(
            "folder", f"{folder} does not exist", "it is created at the first start; or check DATA_DIR"
        )
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fail("folder", f"{folder} is not writable", "change its owner to the user that runs the server")
    elif mode := _mode_if_shared(folder):
        yield warn("folder", f"{folder} is accessible to other users (mode {mode})", f"chmod 700 {folder}")
    else:
        yield ok("folder", f"{folder} is writable and private")
    yield _check_disk(folder)


def _mode_if_shared(path: Path) -> str | None:
    """Return the octal mode if group or others have any permission, else None."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:o}" if mode & 0o077 else None


def _check_disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    message = f"{free // 1024**2:,} MiB free"
    if free < MIN_FREE_BYTES:
        return fail("disk", message, "free disk space: below 50 MiB the server is not ready")
    if free < LOW_FREE_BYTES:
        return warn("disk", message, "free disk space soon")
    return ok("disk", message)


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Check the key files' permissions and the secret keys' format. Prints fingerprints, never keys."""
    for name in (API_KEY_FILE, SECRET_KEY_FILE):
        path = settings.data_dir / name
        if path.is_file():
            mode = _mode_if_shared(path)
            hint = f"run chmod 600 {path}; replace the key if others may have read it"
            yield (
                fail(name, f"mode {mode}, readable by other users", hint) if mode else ok(name, "mode 600")
            )
    fingerprints = [key_fingerprint(key) for key in load_secret_keys(settings)]
    if len(usable_keys(settings)) < len(fingerprints):
        yield fail(
            "encryption", "a key in secret-key is not a Fernet key", "restore it from your copy of the keys"
        )
    elif fingerprints:
        yield ok(
            "encryption", f"{len(fingerprints)} key(s), the first one encrypts: {', '.join(fingerprints)}"
        )
    else:
        yield warn(
            "encryption",
            "there is no secret key yet",
            "it is created at the first start, unless SECRET_KEY is set",
        )


def usable_keys(settings: Settings) -> list[str]:
    return [key for key in load_secret_keys(settings) if _is_fernet_key(key)]


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True
