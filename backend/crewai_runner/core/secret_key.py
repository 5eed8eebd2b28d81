"""The keys that seal stored secrets: from the settings, or from a 0600 file that servers follow."""

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
_BETWEEN_KEYS = re.compile(r"[\s,]+")
_Mark = tuple[int, int, int]


def read_keys(path: Path) -> list[str]:
    """The keys in a key file, one a line, the one that seals first. Raises FileNotFoundError."""
    return [key for key in _BETWEEN_KEYS.split(path.read_text()) if key]


def read_or_create_keys(path: Path) -> list[str]:
    """The keys of this data folder; one is made at first use, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Made aside and linked: of several that start at once one wins, and nobody reads half a file.
        aside = path.with_name(f"{path.name}.{uuid4().hex}")  # containers share process ids
        _write_aside(aside, [Fernet.generate_key().decode()])
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    return read_keys(path)


def _write_aside(path: Path, keys: Sequence[str]) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())


def write_keys(path: Path, keys: Sequence[str]) -> None:
    """Put these keys in the file's place: whoever reads it, and a power cut, meet the old or the new ones."""
    aside = path.with_name(f"{path.name}.new")
    _write_aside(aside, keys)
    aside.replace(path)
    fsync_directory(path.parent)


def fsync_directory(folder: Path) -> None:
    """Make a rename within this folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def key_fingerprint(key: str) -> str:
    """A key's fingerprint (16 hex digits): tells keys apart and leads back to none."""
    return sha256(b"crewai-runner secret key\0" + key.encode()).hexdigest()[:16]


def load_secret_keys(settings: Settings) -> list[str]:
    """The keys in use, the one that seals first; empty when there are none yet. Makes nothing."""
    if settings.secret_key:
        return [key.get_secret_value() for key in settings.secret_key]
    try:
        return read_keys(settings.data_dir / SECRET_KEY_FILE)
    except FileNotFoundError:
        return []


def create_cipher(settings: Settings, note: Callable[[str], None]) -> SecretCipher:
    """The cipher of a process. `note` is told every key that it ever uses, to mask it."""
    if not settings.secret_key:
        return KeyFileCipher(settings.data_dir / SECRET_KEY_FILE, note)
    keys = [key.get_secret_value() for key in settings.secret_key]
    for key in keys:
        note(key)
    return SecretCipher(*keys)


class KeyFileCipher(SecretCipher):
    """Follows its key file: what is put there seals from then on, without a restart."""

    def __init__(self, path: Path, note: Callable[[str], None]) -> None:
        self._path, self._note = path, note
        keys = read_or_create_keys(path)
        super().__init__(*keys)
        for key in keys:
            note(key)
        self._mark: _Mark | None = None  # so that the first use looks once more

    def _keys(self) -> MultiFernet:
        mark = self._look()
        if mark is not None and mark != self._mark:
            # A file that somebody spoiled by hand is no reason to forget the keys at hand.
            with contextlib.suppress(ValueError, OSError):
                self._take(read_keys(self._path))
            self._mark = mark
        return self._fernet

    def _take(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        for key in keys:
            self._note(key)

    def _look(self) -> _Mark | None:
        """What changes with the file; None when it is gone, which is no reason to forget its keys."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
