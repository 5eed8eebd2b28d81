"""Secrets at rest: authenticated encryption. Where the keys come from: `core/secret_key.py`."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from crewai_runner.core.errors import AppError


class SecretUnreadable(AppError):
    slug = "secret-unreadable"
    title = "A stored secret cannot be read"


class SecretCipher:
    """Seals and unseals secrets; the first key seals, every key unseals (so keys can rotate)."""

    def __init__(self, *keys: str) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, secret: str) -> str:
        return self._keys().encrypt(secret.encode()).decode()

    def decrypt(self, sealed: str) -> str:
        """The secret again. Raises SecretUnreadable when it was sealed under another key."""
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SecretUnreadable(
                "A stored credential was sealed under another SECRET_KEY. "
                "Restore that key, or enter the credential again."
            ) from None

    def reencrypt(self, sealed: str) -> str:
        """The same secret under the newest key. Raises SecretUnreadable."""
        return self.encrypt(self.decrypt(sealed))

    def _keys(self) -> MultiFernet:
        return self._fernet
