"""Signatures of outgoing webhooks (Standard Webhooks)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from crewai_runner.core.webhook_secret import SECRET_PREFIX


def sign(secret: str, delivery_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """Return the headers that let a receiver check who sent a body, and when (Unix seconds)."""
    content = f"{delivery_id}.{timestamp}.".encode() + body
    digest = hmac.new(_key_of(secret), content, hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def _key_of(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()
