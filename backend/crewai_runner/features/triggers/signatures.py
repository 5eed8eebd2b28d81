"""Checks who sent a webhook: bearer tokens and the signatures of well-known senders. Pure functions.

Every comparison takes constant time. Signatures with a time are valid for five minutes before and after it.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from enum import StrEnum

from pydantic import JsonValue

from crewai_runner.core.webhook_signature import sign

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 10
"""Senders that rotate their secret send a signature for each one."""
BEARER_IDS = ("idempotency-key", "webhook-id", "x-github-delivery")
Headers = Mapping[str, str]


class SignatureKind(StrEnum):
    """How a sender proves that it knows the secret."""

    BEARER = "bearer"
    """`Authorization: Bearer <secret>`."""
    STANDARD_WEBHOOKS = "standard-webhooks"
    GITHUB = "github"
    STRIPE = "stripe"
    SLACK = "slack"


def is_authentic(kind: SignatureKind, secret: str, headers: Headers, body: bytes, at: int) -> bool:
    """Return whether a body was sent by someone who knows the secret, near the time `at` (Unix seconds)."""
    return _CHECKS[kind](secret, headers, body, at)


def find_delivery_id(kind: SignatureKind, headers: Headers, document: JsonValue, body: bytes) -> str | None:
    """Return what identifies a delivery when its sender repeats it; None if nothing does.

    Except for bearer tokens it is covered by the signature, so that a signed body cannot be repeated under
    another id: GitHub signs only the body, which is therefore its own id.
    """
    if kind is SignatureKind.BEARER:
        found = next((headers[name] for name in BEARER_IDS if headers.get(name)), None)
    elif kind is SignatureKind.STANDARD_WEBHOOKS:
        found = headers.get("webhook-id")
    elif kind is SignatureKind.GITHUB:
        found = None
    else:
        name = "id" if kind is SignatureKind.STRIPE else "event_id"
        value = document.get(name) if isinstance(document, dict) else None
        found = value if isinstance(value, str) else None
    if found:
        return found
    return None if kind is SignatureKind.BEARER else hashlib.sha256(body).hexdigest()


def _check_bearer(secret: str, headers: Headers, body: bytes, at: int) -> bool:  # noqa: ARG001
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and _equals(token.strip(), secret)


def _check_standard_webhooks(secret: str, headers: Headers, body: bytes, at: int) -> bool:
    delivery_id, time = headers.get("webhook-id", ""), _read_time(headers.get("webhook-timestamp", ""), at)
    if time is None or not delivery_id:
        return False
    expected = sign(secret, delivery_id, time, body)["webhook-signature"]
    return _equals_any(headers.get("webhook-signature", "").split(" "), expected)


def _check_github(secret: str, headers: Headers, body: bytes, at: int) -> bool:  # noqa: ARG001
    return _equals(headers.get("x-hub-signature-256", ""), "sha256=" + _digest(secret, body))


def _check_stripe(secret: str, headers: Headers, body: bytes, at: int) -> bool:
    parts = [part.partition("=") for part in headers.get("stripe-signature", "").split(",")]
    time = _read_time(next((value for name, _, value in parts if name.strip() == "t"), ""), at)
    if time is None:
        return False
    expected = _digest(secret, f"{time}.".encode() + body)
    return _equals_any([value for name, _, value in parts if name.strip() == "v1"], expected)


def _check_slack(secret: str, headers: Headers, body: bytes, at: int) -> bool:
    time = _read_time(headers.get("x-slack-request-timestamp", ""), at)
    if time is None:
        return False
    expected = "v0=" + _digest(secret, f"v0:{time}:".encode() + body)
    return _equals(headers.get("x-slack-signature", ""), expected)


_CHECKS: Mapping[SignatureKind, Callable[[str, Headers, bytes, int], bool]] = {
    SignatureKind.BEARER: _check_bearer,
    SignatureKind.STANDARD_WEBHOOKS: _check_standard_webhooks,
    SignatureKind.GITHUB: _check_github,
    SignatureKind.STRIPE: _check_stripe,
    SignatureKind.SLACK: _check_slack,
}


def _read_time(text: str, at: int) -> int | None:
    """Return a time in Unix seconds; None unless it is one, and near `at`."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(at)) + 1):
        return None
    time = int(text)
    return time if abs(time - at) <= TOLERANCE_SECONDS else None


def _digest(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def _equals_any(offered: list[str], expected: str) -> bool:
    return any([_equals(one, expected) for one in offered[:MAX_SIGNATURES]])  # noqa: C419 - compare all


def _equals(offered: str, expected: str) -> bool:
    return hmac.compare_digest(offered.encode("utf-8", "surrogatepass"), expected.encode())
