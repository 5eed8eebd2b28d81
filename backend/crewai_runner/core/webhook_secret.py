"""The secret that signs outgoing webhooks."""

import base64

from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.settings import Settings

SECRET_PREFIX = "whsec_"  # noqa: S105  # a prefix


def load_webhook_secret(settings: Settings, cipher: SecretCipher) -> str:
    """Return WEBHOOK_SECRET, or a secret derived from the first SECRET_KEY."""
    if settings.webhook_secret is not None:
        return settings.webhook_secret.get_secret_value()
    derived = bytes.fromhex(cipher.digest("webhook signatures"))
    return SECRET_PREFIX + base64.b64encode(derived).decode()
