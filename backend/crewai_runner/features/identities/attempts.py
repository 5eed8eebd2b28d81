"""A sign-in that has begun: what the server must know when the browser comes back from the issuer.

It is kept in an encrypted cookie of that browser, so that it works in no other one, and anonymous requests
store nothing on the server.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.features.identities.errors import AttemptInvalid

LIFETIME = timedelta(minutes=10)


class SignInAttempt(BaseModel):
    """`person_id` is who connects an identity with their account; None for a sign-in."""

    model_config = ConfigDict(frozen=True)

    issuer_id: str
    state: str
    nonce: str
    verifier: str
    next: str
    person_id: str | None
    expires_at: datetime

    @classmethod
    def begin(cls, issuer_id: str, next_path: str, person_id: str | None = None) -> "SignInAttempt":
        return cls(
            issuer_id=issuer_id,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=next_path,
            person_id=person_id,
            expires_at=now() + LIFETIME,
        )

    @property
    def challenge(self) -> str:
        """The code challenge for the verifier, by S256 (RFC 7636)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def seal(self, cipher: SecretCipher) -> str:
        """Return the value of the cookie."""
        return cipher.encrypt(self.model_dump_json())


def name_cookie(state: str) -> str:
    """Return the name of an attempt's cookie: each has its own, so that two tabs do not interfere."""
    return f"sign_in_{hashlib.sha256(state.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def open_attempt(cipher: SecretCipher, cookie: str | None, issuer_id: str, state: str) -> SignInAttempt:
    """Return the attempt of a cookie. Raises AttemptInvalid unless it fits the issuer and the state."""
    try:
        attempt = SignInAttempt.model_validate_json(cipher.decrypt(cookie or ""))
    except (SecretUnreadable, UnicodeError, ValidationError):
        raise AttemptInvalid from None
    is_same_state = hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "surrogatepass"))
    if not is_same_state or attempt.issuer_id != issuer_id or attempt.expires_at <= now():
        raise AttemptInvalid
    return attempt
