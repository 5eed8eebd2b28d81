"""Secrets at rest: authenticated encryption under a key from the settings or a 0600 file."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from crewai_runner.core.errors import AppError


class SealBroken(AppError):
    slug = "secret-unreadable"
    title = "A stored secret cannot be read"


class Sealer:
    """Seals and unseals secrets; the first key seals, every key unseals (so keys can rotate)."""

    def __init__(self, *keys: str) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """The secret again. Raises SealBroken when it was sealed under another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealBroken(
                "A stored credential was sealed under another SECRET_KEY. "
                "Restore that key, or enter the credential again."
            ) from None

    def reseal(self, sealed: str) -> str:
        """The same secret under the newest key."""
        return self._fernet.rotate(sealed.encode()).decode()


def read_or_create_key(path: Path) -> str:
    """The sealing key of this data folder, made at first use and readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        key = Fernet.generate_key().decode()
        file.write(key)
    return key
