"""Checks bearer tokens and says who is asking."""

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
        """The principal behind an Authorization header. `client` is the caller's address."""


@dataclass(frozen=True, slots=True)
class AuthDeps:
    """What the container provides for authentication."""

    authenticator: Authenticator


class AuthService:
    """Knows the one built-in API key; its owner may do everything in the built-in workspace."""

    def __init__(self, api_key: str, limit: SignInFailureLimiter) -> None:
        if not api_key:
            raise ValueError("An empty API key would let everybody in.")
        self._digest = _digest(api_key)
        self._limit = limit

    def authenticate(self, authorization: str | None, client: str) -> Principal:
        """The principal behind an Authorization header.

        Raises InvalidApiKey, and TooManySignInFailures (429 with Retry-After) after many of them.
        """
        scheme, _, token = (authorization or "").partition(" ")
        # Both sides are digests of one length, so the comparison takes the same time for any token.
        right = hmac.compare_digest(_digest(token.strip()), self._digest)
        if right and scheme.lower() == "bearer":
            return Principal("api-key", BUILTIN_WORKSPACE, frozenset(Scope))
        self._refuse(client)
        raise InvalidApiKey

    def _refuse(self, client: str) -> None:
        wait = self._limit.wait_seconds(client)
        if wait:
            seconds = math.ceil(wait)
            raise TooManySignInFailures(
                f"Too many failed sign-ins from this address; try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )
        self._limit.failed(client)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
