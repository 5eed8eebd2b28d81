"""Checks API keys and returns the principal they belong to."""

import hashlib
import hmac
import math
from dataclasses import dataclass
from typing import Protocol

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.features.auth.errors import InvalidApiKey, TooManySignInFailures
from crewai_runner.features.auth.rules import SignInFailureLimiter


class Authenticator(Protocol):
    def authenticate(self, authorization: str | None, client: str) -> Principal:
        """Return the principal for an Authorization header; `client` is the caller's address."""


@dataclass(frozen=True, slots=True)
class AuthDeps:
    """Dependencies of authentication, built by the container."""

    authenticator: Authenticator


class AuthService:
    """Accepts one configured API key, which has every scope in the built-in workspace."""

    def __init__(self, api_key: str, failures: SignInFailureLimiter) -> None:
        if not api_key:
            raise ValueError("The API key must not be empty.")
        self._digest = _digest(api_key)
        self._failures = failures

    def authenticate(self, authorization: str | None, client: str) -> Principal:
        """Return the principal for an Authorization header.

        Raises InvalidApiKey, and after many failures TooManySignInFailures (429 with Retry-After).
        """
        scheme, _, token = (authorization or "").partition(" ")
        # Comparing digests of equal length takes the same time for every token.
        matches = hmac.compare_digest(_digest(token.strip()), self._digest)
        if matches and scheme.lower() == "bearer":
            return Principal("api-key", BUILTIN_WORKSPACE, frozenset(Scope))
        if wait := self._failures.get_wait_seconds(client):
            seconds = math.ceil(wait)
            raise TooManySignInFailures(
                f"Too many failed sign-ins from this address; try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )
        self._failures.record_failure(client)
        raise InvalidApiKey


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
