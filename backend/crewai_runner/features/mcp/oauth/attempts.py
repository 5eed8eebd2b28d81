"""An authorization that a browser has begun: what must be known when it comes back."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, ValidationError

from crewai_runner.core.clock import now
from crewai_runner.core.encryption import SecretCipher, SecretUnreadable
from crewai_runner.features.mcp.errors import McpAuthorizationInvalid
from crewai_runner.features.mcp.oauth.tokens import OAuthClient

LIFETIME = timedelta(minutes=10)


class AuthorizationAttempt(BaseModel):
    """Only `subject`, who began it, can finish it. `has_issuer` says that the answer must name it."""

    model_config = ConfigDict(frozen=True)

    state: str
    verifier: str
    subject: str
    redirect_uri: str
    client: OAuthClient
    client_secret: str | None
    has_issuer: bool
    expires_at: datetime

    @classmethod
    def begin(
        cls,
        server_id: str,
        subject: str,
        redirect_uri: str,
        client: OAuthClient,
        client_secret: str | None,
        *,
        has_issuer: bool,
    ) -> "AuthorizationAttempt":
        return cls(
            state=f"{server_id}.{secrets.token_urlsafe(32)}",
            verifier=secrets.token_urlsafe(48),
            subject=subject,
            redirect_uri=redirect_uri,
            client=client,
            client_secret=client_secret,
            has_issuer=has_issuer,
            expires_at=now() + LIFETIME,
        )

    @property
    def challenge(self) -> str:
        """The code challenge for the verifier, by S256 (RFC 7636)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def seal(self, cipher: SecretCipher) -> str:
        return cipher.encrypt(self.model_dump_json())


def open_attempt(
    cipher: SecretCipher, sealed: str | None, *, state: str, subject: str, issuer: str | None
) -> AuthorizationAttempt:
    """Return the attempt of an answer (RFC 9207). Raises McpAuthorizationInvalid unless everything fits."""
    try:
        attempt = AuthorizationAttempt.model_validate_json(cipher.decrypt(sealed or ""))
    except (SecretUnreadable, UnicodeError, ValidationError):
        raise McpAuthorizationInvalid from None
    is_same = hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "surrogatepass"))
    is_own = attempt.subject == subject and attempt.expires_at > now()
    is_issuer = issuer == attempt.client.issuer if issuer is not None else not attempt.has_issuer
    if not (is_same and is_own and is_issuer):
        raise McpAuthorizationInvalid
    return attempt


def server_of_state(state: str) -> str:
    """Return the id of the server in a state; it is checked like any id from outside."""
    return state.partition(".")[0]
