"""Builds what the delivery of webhooks needs."""

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.encryption import SecretCipher
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.core.webhook_secret import load_webhook_secret
from crewai_runner.db.session import Sessions
from crewai_runner.features.amp.deliveries import DeliveryDeps


def make_delivery_deps(
    settings: Settings, sessions: Sessions, cipher: SecretCipher, egress: EgressPolicy, mask: SecretMask
) -> DeliveryDeps:
    """Load the secret of the signatures, which no text may show."""
    secret = load_webhook_secret(settings, cipher)
    mask.add(secret)
    return DeliveryDeps(sessions, cipher, egress, mask, secret)
