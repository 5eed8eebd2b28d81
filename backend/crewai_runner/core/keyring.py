"""Encrypts credentials for storage, and masks those in use in logs, events and problem documents."""

from pydantic import SecretStr

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_mask import SecretMask

MIN_SECRET_PART_LENGTH = 16


def secret_parts(*keys: SecretStr | None) -> list[str]:
    """Return the texts to mask for keys: each key, and each long part of `ID:SECRET:TOKEN`."""
    secrets = [key.get_secret_value() for key in keys if key is not None]
    parts = [part for secret in secrets for part in secret.split(":")[1:]]
    return secrets + [part for part in parts if len(part) >= MIN_SECRET_PART_LENGTH]


class Keyring:
    """Encrypts and decrypts the keys of providers, and masks each one until it is replaced or forgotten.

    `owners` is the prefix of who holds the keys, for other rows than providers.
    """

    def __init__(self, cipher: SecretCipher, mask: SecretMask, owners: str = "provider:") -> None:
        self._cipher = cipher
        self._mask = mask
        self._owners = owners

    def encrypt(self, key: SecretStr, workspace_id: str, provider_id: str) -> str:
        """Return the encrypted key of a provider; mask it in its workspace, the previous key no longer."""
        self._mask.hold(workspace_id, self._owners + provider_id, secret_parts(key))
        return self._cipher.encrypt(key.get_secret_value())

    def decrypt(self, encrypted: str | None, workspace_id: str, provider_id: str) -> SecretStr | None:
        """Return the provider's key, None for None, and mask it. Raises SecretUnreadable."""
        if encrypted is None:
            self.forget(workspace_id, provider_id)
            return None
        key = SecretStr(self._cipher.decrypt(encrypted))
        self._mask.hold(workspace_id, self._owners + provider_id, secret_parts(key))
        return key

    def forget(self, workspace_id: str, provider_id: str) -> None:
        """Mask the provider's key no longer: it was removed."""
        self._mask.release(workspace_id, self._owners + provider_id)

    def forget_all_but(self, provider_ids: set[str]) -> None:
        """Mask only the keys of these providers: the others were deleted, perhaps by another process."""
        self._mask.retain(self._owners, {self._owners + provider_id for provider_id in provider_ids})
