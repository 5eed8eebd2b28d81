"""Secrets at rest: authenticated encryption. Where the keys come from: `core/secret_key.py`."""

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
        return self._keys().encrypt(secret.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """The secret again. Raises SealBroken when it was sealed under another key."""
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealBroken(
                "A stored credential was sealed under another SECRET_KEY. "
                "Restore that key, or enter the credential again."
            ) from None

    def reseal(self, sealed: str) -> str:
        """The same secret under the newest key. Raises SealBroken."""
        return self.seal(self.unseal(sealed))

    def _keys(self) -> MultiFernet:
        return self._fernet
