"""Stored keys: sealed when they come, masked everywhere from the moment they are known."""

from pydantic import SecretStr

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.logging import SecretMask

SHORTEST_SECRET_PART = 16


class Keyring:
    """Every key that passes through here is masked in logs, events and problems from then on."""

    def __init__(self, cipher: SecretCipher, mask: SecretMask) -> None:
        self._cipher = cipher
        self._mask = mask

    def mask_key(self, key: SecretStr) -> SecretStr:
        """Mask a key that is used but not stored."""
        secret = key.get_secret_value()
        # Of a key in parts (`ID:SECRET:TOKEN`) the long ones are secrets by themselves.
        parts = [part for part in secret.split(":")[1:] if len(part) >= SHORTEST_SECRET_PART]
        for one in (secret, *parts):
            self._mask.add(one)
        return key

    def encrypt(self, key: SecretStr) -> str:
        return self._cipher.encrypt(self.mask_key(key).get_secret_value())

    def decrypt(self, sealed: str | None) -> SecretStr | None:
        """The key again, None when there is none. Raises SecretUnreadable."""
        return None if sealed is None else self.mask_key(SecretStr(self._cipher.decrypt(sealed)))
