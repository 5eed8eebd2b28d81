"""Authenticated encryption of stored secrets. `core/secret_key.py` loads the keys."""

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from crewai_runner.core.errors import AppError


class SecretUnreadable(AppError):
    slug = "secret-unreadable"
    title = "A stored secret cannot be read"


class SecretCipher:
    """Encrypts with the first key and decrypts with any, so that keys can be rotated."""

    def __init__(self, *keys: str) -> None:
        self._use(keys)

    def _use(self, keys: Sequence[str]) -> None:
        self._fernet, self._digest_key = MultiFernet([Fernet(key) for key in keys]), keys[0].encode()

    def encrypt(self, secret: str) -> str:
        return self._keys().encrypt(secret.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Return the secret. Raises SecretUnreadable when no key decrypts it."""
        try:
            return self._keys().decrypt(encrypted.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(
                "A stored credential was encrypted with another SECRET_KEY. "
                "Restore that key, or enter the credential again."
            ) from None

    def reencrypt(self, encrypted: str) -> str:
        """Encrypt the same secret with the first key. Raises SecretUnreadable."""
        return self.encrypt(self.decrypt(encrypted))

    def digest(self, text: str) -> str:
        """Return a digest that reveals nothing about the text without the first key."""
        self._keys()  # loads keys that were rotated
        return hmac.new(self._digest_key, text.encode(), hashlib.sha256).hexdigest()

    def _keys(self) -> MultiFernet:
        return self._fernet
