"""Checks API keys and returns the principal they belong to."""

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crewai_runner.core.client_address import get_limited_address
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.errors import InvalidApiKey, ScopeMissing, TooManySignInFailures
from crewai_runner.features.auth.sign_in_limiter import SignInLimiter

ACCOUNT = "api-key"
"""The subject of the one API key; all guesses are guesses of this account."""


class Authenticator(Protocol):
    async def authenticate(self, authorization: str | None, client: str) -> Principal:
        """Return the principal for an Authorization header; `client` is the caller's address."""


@dataclass(frozen=True, slots=True)
class AuthDeps:
    """Dependencies of authentication, built by the container."""

    authenticator: Authenticator
    browser_sessions: BrowserSessions
    allowed_origins: Sequence[str] = ()
    """The origins of CORS, whose pages may open WebSockets with a key."""


class AuthService:
    """Accepts one configured API key, which has every scope in the built-in workspace."""

    def __init__(self, api_key: str, limiter: SignInLimiter) -> None:
        if not api_key:
            raise ValueError("The API key must not be empty.")
        self._digest = _digest(api_key)
        self._limiter = limiter

    async def authenticate(self, authorization: str | None, client: str) -> Principal:
        """Return the principal for an Authorization header.

        Raises InvalidApiKey, and after many failures TooManySignInFailures (429 with Retry-After), which says
        nothing about the key: it is not compared. A request without a bearer token is not a failed sign-in.
        """
        token = _read_token(authorization)
        if token is None:
            raise InvalidApiKey
        address = get_limited_address(client)
        if wait := await self._limiter.get_wait_seconds(address, ACCOUNT):
            raise TooManySignInFailures(math.ceil(wait))
        # Comparing digests of equal length takes the same time for every token.
        if hmac.compare_digest(_digest(token), self._digest):
            await self._limiter.record_success(address, ACCOUNT)
            return Principal(ACCOUNT, BUILTIN_WORKSPACE, frozenset(Scope))
        await self._limiter.record_failure(address, ACCOUNT)
        raise InvalidApiKey


def _read_token(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def check_scope(principal: Principal, scope: Scope) -> None:
    """Raises ScopeMissing (403) unless the principal has the scope."""
    if not principal.has_scope(scope):
        raise ScopeMissing(f"This requires the scope {scope}.", scope=str(scope))
