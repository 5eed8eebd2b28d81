"""Checks API keys and returns the principal they belong to."""

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crewai_runner.core.client_address import get_limited_address
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.roles import SERVER_KEY, server_principal
from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.credentials import Credentials
from crewai_runner.features.auth.errors import (
    InvalidApiKey,
    MoreThanOwnRights,
    ScopeMissing,
    TooManySignInFailures,
)
from crewai_runner.features.auth.external_sessions import ExternalSignIn

__all__ = [
    "ACCOUNT",
    "AuthDeps",
    "AuthService",
    "Authenticator",
    "ExternalSignIn",
    "SignInLimiter",
    "check_grant",
    "check_scope",
]

ACCOUNT = SERVER_KEY
"""All guesses of keys are guesses of this account."""


class SignInLimiter(Protocol):
    """An address that has signed in to the account before is exempt from the account's limit, so that guesses
    from elsewhere do not lock its owner out.

    Compare the key without waiting in between: nothing else runs after `get_wait_seconds` has returned, and
    a failure counts as soon as `record_failure` is called. So simultaneous guesses cannot exceed the limit.
    """

    async def get_wait_seconds(self, address: str, account: str) -> float:
        """Return the seconds until this address may try again; 0 if it may now. Never raises."""

    async def record_failure(self, address: str, account: str) -> None:
        """Count a wrong key. Never raises."""

    async def record_success(self, address: str, account: str) -> None:
        """Remember that this address has had the right key. Never raises."""


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
    """Accepts the server's own API key, which has every scope, and the stored keys of workspaces."""

    def __init__(self, api_key: str, limiter: SignInLimiter, credentials: Credentials) -> None:
        if not api_key:
            raise ValueError("The API key must not be empty.")
        self._digest = _digest(api_key)
        self._limiter, self._credentials = limiter, credentials

    async def authenticate(self, authorization: str | None, client: str) -> Principal:
        """Return the principal for an Authorization header.

        Raises InvalidApiKey, and after many failures TooManySignInFailures (429 with Retry-After), which says
        nothing about the key: it is not compared. A request without a bearer token is not a failed sign-in.
        """
        token = _read_token(authorization)
        if token is None:
            raise InvalidApiKey
        address = get_limited_address(client)
        await self._check_limit(address)
        found = await self._credentials.find_by_key(token)
        # Again: simultaneous guesses of stored keys wait for the database side by side.
        await self._check_limit(address)
        # Comparing digests of equal length takes the same time for every token.
        if hmac.compare_digest(_digest(token), self._digest):
            found = server_principal()
        if found is None:
            await self._limiter.record_failure(address, ACCOUNT)
            raise InvalidApiKey
        await self._limiter.record_success(address, ACCOUNT)
        return found

    async def _check_limit(self, address: str) -> None:
        if wait := await self._limiter.get_wait_seconds(address, ACCOUNT):
            raise TooManySignInFailures(math.ceil(wait))


def _read_token(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def check_scope(principal: Principal, scope: Scope, purpose: str = "This") -> None:
    """Raises ScopeMissing (403) unless the principal has the scope; `purpose` begins the sentence."""
    if not principal.has_scope(scope):
        raise ScopeMissing(f"{purpose} requires the scope {scope}.", scope=str(scope))


def check_grant(principal: Principal, scopes: frozenset[Scope]) -> None:
    """Raises MoreThanOwnRights (403) if someone would grant what they may not do themselves."""
    if missing := scopes - principal.scopes:
        raise MoreThanOwnRights(missing)
