"""Encrypts credentials for storage, and masks each one in logs, events and problem documents."""

from pydantic import SecretStr

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.logging import SecretMask

MIN_SECRET_PART_LENGTH = 16


class Keyring:
    """Encrypts and decrypts credentials, and masks each one in all later output."""

    def __init__(self, cipher: SecretCipher, mask: SecretMask) -> None:
        self._cipher = cipher
        self._mask = mask

    def mask_key(self, key: SecretStr) -> SecretStr:
        """Mask a key, and return it."""
        secret = key.get_secret_value()
        # Each long part of `ID:SECRET:TOKEN` is also a secret.
        parts = [part for part in secret.split(":")[1:] if len(part) >= MIN_SECRET_PART_LENGTH]
        for value in (secret, *parts):
            self._mask.add(value)
        return key

    def encrypt(self, key: SecretStr) -> str:
        return self._cipher.encrypt(self.mask_key(key).get_secret_value())

    def decrypt(self, encrypted: str | None) -> SecretStr | None:
        """Return the key, None for None. Raises SecretUnreadable."""
        return None if encrypted is None else self.mask_key(SecretStr(self._cipher.decrypt(encrypted)))
