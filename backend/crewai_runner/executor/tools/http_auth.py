"""The headers that authenticate requests over connections of kind `http`."""

import base64
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.core.secret_mask import MASK
from crewai_runner.domain.connection import HttpAuth
from crewai_runner.executor.tools.http_exchange import ServiceRequest, ask_service
from crewai_runner.executor.tools.runner import ToolCallFailed

MAX_TOKENS = 1_000
_SPARE_SECONDS = 30.0
_DEFAULT_LIFETIME = 300.0
_MIN_HIDDEN_LENGTH = 8


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    expires_at: float
    """By the monotonic clock."""


_tokens: dict[str, _Token] = {}
"""Tokens of this process, by a digest of what they were asked for with."""


async def authorize(
    name: str, config: Mapping[str, Any], secret: str, egress: EgressPolicy
) -> dict[str, str]:
    """Return the headers of a request over the connection `name`. Raises ToolCallFailed.

    With OAuth client credentials a token is asked for, and kept until it expires.
    """
    if HttpAuth(config["auth"]) is not HttpAuth.OAUTH:
        return make_headers(config, secret)
    key = _make_key(config, secret)
    token = _tokens.get(key)
    if token is None or token.expires_at <= time.monotonic():
        token = await _ask_for_token(name, config, secret, egress)
        if len(_tokens) >= MAX_TOKENS:
            _tokens.clear()
        _tokens[key] = token
    return {"Authorization": f"Bearer {token.text}"}


def forget_token(config: Mapping[str, Any], secret: str) -> bool:
    """Forget a token that was rejected; return whether there was one."""
    return (
        HttpAuth(config["auth"]) is HttpAuth.OAUTH
        and _tokens.pop(_make_key(config, secret), None) is not None
    )


def hide_credentials(text: str, headers: Mapping[str, str]) -> str:
    """Mask what authenticates a request in the answer to it."""
    for value in headers.values():
        credential = value.rpartition(" ")[2]
        if len(credential) >= _MIN_HIDDEN_LENGTH:
            text = text.replace(credential, MASK)
    return text


def make_headers(config: Mapping[str, Any], secret: str) -> dict[str, str]:
    """Return the headers that need no other request."""
    match HttpAuth(config["auth"]):
        case HttpAuth.BEARER:
            return {"Authorization": f"Bearer {secret}"}
        case HttpAuth.HEADER:
            return {config["header"]: secret}
        case HttpAuth.BASIC:
            return {"Authorization": _make_basic(config["username"], secret)}
        case HttpAuth.NONE | HttpAuth.OAUTH:
            return {}


async def _ask_for_token(name: str, config: Mapping[str, Any], secret: str, egress: EgressPolicy) -> _Token:
    form = {"grant_type": "client_credentials"}
    if config["scope"]:
        form["scope"] = config["scope"]
    service = f"The token endpoint of {name}"
    headers = {"Authorization": _make_basic(config["username"], secret), "Accept": "application/json"}
    answer = await ask_service(
        ServiceRequest(service, "POST", config["token_url"], headers, form=form), egress
    )
    found = answer.read_json(service)
    token = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not all("\x21" <= character <= "\x7e" for character in token):
        raise ToolCallFailed(f"{service} answered without an access token.")
    lifetime = found.get("expires_in")
    seconds = float(lifetime) if isinstance(lifetime, int | float) else _DEFAULT_LIFETIME
    return _Token(token, time.monotonic() + max(seconds - _SPARE_SECONDS, 0.0))


def _make_basic(username: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{secret}'.encode()).decode()}"


def _make_key(config: Mapping[str, Any], secret: str) -> str:
    parts = (config["token_url"], config["username"], config["scope"] or "", secret)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
