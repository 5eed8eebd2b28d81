"""Verifies the tokens that an issuer signs: ID tokens and logout tokens."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import jwt
from jwt import PyJWK
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    PyJWTError,
)

from crewai_runner.core.clock import now
from crewai_runner.features.identities.errors import IdTokenInvalid
from crewai_runner.features.identities.issuer_client import IssuerClient

KEY_TYPES = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
"""The algorithms that are accepted, with their type of key: all have public keys, none is `none` or HMAC."""
LEEWAY_SECONDS = 60
"""How far the clocks of issuer and server may differ."""
MAX_AGE_SECONDS = 600
"""How old a token may be that an issuer has just sent."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_REASONS: Sequence[tuple[type[PyJWTError], str]] = (
    (ExpiredSignatureError, "it has expired"),
    (ImmatureSignatureError, "it is from the future: compare the clocks"),
    (InvalidAudienceError, "it is for another application"),
    (InvalidIssuerError, "it is from another issuer"),
    (InvalidSignatureError, "its signature is wrong"),
)


class LogoutToken(NamedTuple):
    """Whose sessions an issuer has ended: those that began before `issued_at`."""

    subject: str | None
    sid: str | None
    issued_at: datetime


class IdTokens:
    """Verifies the tokens of one issuer. All methods raise IdTokenInvalid and IssuerUnavailable."""

    def __init__(self, client: IssuerClient) -> None:
        self._client, self._settings = client, client.settings

    async def verify(self, token: str | None, nonce: str | None, access_token: str) -> Mapping[str, Any]:
        """Return the claims of an ID token; `nonce` is that of the attempt, None after a refresh.

        `access_token` is the one that came with it, which the ID token may name (`at_hash`).
        """
        if token is None:
            raise self._refuse("there is no ID token; the scope openid is needed")
        claims = await self._decode(token, ["iss", "sub", "aud", "exp", "iat"])
        self._check_authorized_party(claims)
        if nonce is not None and not _is_equal(claims.get("nonce"), nonce):
            raise self._refuse("it is not for this sign-in (nonce)")
        if "at_hash" in claims and not _is_equal(claims["at_hash"], _hash_access_token(token, access_token)):
            raise self._refuse("it came with the access token of another sign-in (at_hash)")
        return claims

    async def verify_logout(self, token: str) -> LogoutToken:
        """Return the claims of a logout token (OpenID Connect Back-Channel Logout, 2.6)."""
        claims = await self._decode(token, ["iss", "aud", "iat", "jti", "events"])
        events = claims["events"]
        if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
            raise self._refuse("it is no logout token")
        subject, sid = claims.get("sub"), claims.get("sid")
        if (subject is None and sid is None) or not all(
            value is None or (isinstance(value, str) and value.isprintable()) for value in (subject, sid)
        ):
            raise self._refuse("it names neither a session nor a person")
        # One second later: times in tokens are whole seconds.
        issued_at = datetime.fromtimestamp(float(claims["iat"]) + 1, tz=UTC)
        return LogoutToken(subject, sid, issued_at)

    async def _decode(self, token: str, required: list[str]) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = header.get("alg"), header.get("kid")
            if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
                raise self._refuse(f"it is signed by the algorithm {str(algorithm)[:20]!r}")
            key = await self._find_key(algorithm, key_id if isinstance(key_id, str) else None)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._settings.client_id,
                issuer=self._settings.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": required, "enforce_minimum_key_length": True},
            )
        except (PyJWTError, ValueError, RecursionError) as error:
            reason = next((text for kind, text in _REASONS if isinstance(error, kind)), "it is malformed")
            raise self._refuse(reason) from error
        if now().timestamp() - float(claims["iat"]) > MAX_AGE_SECONDS:
            raise self._refuse("it is too old")
        return claims

    async def _find_key(self, algorithm: str, key_id: str | None) -> PyJWK:
        """Return the key of a token; without `kid` there must be only one that fits."""
        keys = [
            key
            for key in await self._client.read_keys(key_id)
            if key.get("kty") == KEY_TYPES[algorithm]
            and key.get("alg", algorithm) == algorithm
            and key_id in (None, key.get("kid"))
        ]
        if len(keys) != 1:
            raise self._refuse("the issuer has no key with which it could be signed")
        return PyJWK(dict(keys[0]), algorithm)

    def _check_authorized_party(self, claims: Mapping[str, Any]) -> None:
        audience = claims["aud"]
        party = claims.get("azp")
        is_shared = isinstance(audience, list) and len(audience) > 1
        if (is_shared or party is not None) and party != self._settings.client_id:
            raise self._refuse("it is for another application (azp)")

    def _refuse(self, reason: str) -> IdTokenInvalid:
        return IdTokenInvalid(self._settings.name, reason)


def read_unverified_issuer(token: str) -> str:
    """Return the issuer that a token names, with whose keys to verify it; empty if it names none."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (PyJWTError, ValueError, RecursionError):
        return ""
    return issuer if isinstance(issuer, str) else ""


def _hash_access_token(token: str, access_token: str) -> str:
    """Return the `at_hash` of an access token (OpenID Connect Core, 3.1.3.6): half of its hash."""
    algorithm = jwt.get_unverified_header(token)["alg"]
    # Ed25519 signs with SHA-512; the other names end with the size of their hash.
    digest = hashlib.new("sha512" if algorithm == "EdDSA" else f"sha{algorithm[-3:]}", access_token.encode())
    return base64.urlsafe_b64encode(digest.digest()[: digest.digest_size // 2]).rstrip(b"=").decode()


def _is_equal(value: object, expected: str) -> bool:
    return isinstance(value, str) and hmac.compare_digest(value.encode(), expected.encode())
