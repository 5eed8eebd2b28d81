"""The keys that encrypt stored secrets: from the settings, or from a 0600 file that servers watch."""

import contextlib
import os
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from cryptography.fernet import Fernet, MultiFernet

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.settings import Settings

SECRET_KEY_FILE = "secret-key"  # noqa: S105  # a file's name
_KEY_SEPARATOR = re.compile(r"[\s,]+")
_FileVersion = tuple[int, int, int]


def read_keys(path: Path) -> list[str]:
    """Read a key file: one key a line, the first encrypts. Raises FileNotFoundError."""
    return [key for key in _KEY_SEPARATOR.split(path.read_text()) if key]


def read_or_create_keys(path: Path) -> list[str]:
    """Read a key file, after creating it with one key when it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written to a temporary file and linked: concurrent starts agree on one key, and readers never see
        # a partial file. The name is random because containers share process ids.
        temporary = path.with_name(f"{path.name}.{uuid4().hex}")
        _write_private_file(temporary, [Fernet.generate_key().decode()])
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
    return read_keys(path)


def _write_private_file(path: Path, keys: Sequence[str]) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write_keys(path: Path, keys: Sequence[str]) -> None:
    """Replace a key file atomically, also with respect to power failures."""
    temporary = path.with_name(f"{path.name}.new")
    _write_private_file(temporary, keys)
    temporary.replace(path)
    fsync_directory(path.parent)


def fsync_directory(folder: Path) -> None:
    """Flush a directory to disk, so that renames in it survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def key_fingerprint(key: str) -> str:
    """Return 16 hex digits that identify a key without revealing it."""
    return sha256(b"crewai-runner secret key\0" + key.encode()).hexdigest()[:16]


def load_secret_keys(settings: Settings) -> list[str]:
    """Return the configured keys, the encrypting one first; empty when none exists. Creates nothing."""
    if settings.secret_key:
        return [key.get_secret_value() for key in settings.secret_key]
    try:
        return read_keys(settings.data_dir / SECRET_KEY_FILE)
    except FileNotFoundError:
        return []


def create_cipher(settings: Settings, on_key: Callable[[str], None]) -> SecretCipher:
    """Create the cipher of a process. `on_key` is called with every key it uses, so that it can be masked."""
    if not settings.secret_key:
        return KeyFileCipher(settings.data_dir / SECRET_KEY_FILE, on_key)
    keys = [key.get_secret_value() for key in settings.secret_key]
    for key in keys:
        on_key(key)
    return SecretCipher(*keys)


class KeyFileCipher(SecretCipher):
    """Reloads its key file when it changes, so that a rotation needs no restart."""

    def __init__(self, path: Path, on_key: Callable[[str], None]) -> None:
        self._path, self._on_key = path, on_key
        keys = read_or_create_keys(path)
        super().__init__(*keys)
        for key in keys:
            on_key(key)
        self._loaded: _FileVersion | None = None  # the first use checks the file again

    def _keys(self) -> MultiFernet:
        current = self._file_version()
        if current is not None and current != self._loaded:
            # An unreadable or invalid file keeps the loaded keys.
            with contextlib.suppress(ValueError, OSError):
                keys = read_keys(self._path)
                self._use(keys)
                for key in keys:
                    self._on_key(key)
            self._loaded = current
        return self._fernet

    def _file_version(self) -> _FileVersion | None:
        """Return values that change when the file does; None when the file is missing."""
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
