"""How this server proves to the token endpoint of an issuer that it is the registered client."""

import base64
import secrets
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

import jwt
from pydantic import SecretStr

from crewai_runner.core.client_key import find_signing_algorithm
from crewai_runner.core.clock import now
from crewai_runner.core.issuer_settings import IssuerSettings

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60


class ClientProof(NamedTuple):
    """What is added to a request: members of its form, and headers."""

    form: dict[str, str]
    headers: dict[str, str]


def prove_client(settings: IssuerSettings, token_endpoint: str, methods: Sequence[str]) -> ClientProof:
    """Return the proof by key or secret; a public client has only its name.

    `methods` are those that the issuer announces.
    """
    client_id = settings.client_id
    if settings.client_key is not None:
        assertion = _sign_assertion(settings, settings.client_key, token_endpoint)
        form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return ClientProof({"client_id": client_id} | form, {})
    if settings.client_secret is None:
        return ClientProof({"client_id": client_id}, {})
    secret = settings.client_secret.get_secret_value()
    if "client_secret_basic" not in methods:
        return ClientProof({"client_id": client_id, "client_secret": secret}, {})
    credentials = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return ClientProof({}, {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"})


def _sign_assertion(settings: IssuerSettings, key: SecretStr, token_endpoint: str) -> str:
    """Return a JWT of a minute that is used once (RFC 7523, 3).

    By default its audience is the issuer, whose name no other issuer has: a token endpoint could be named by
    the discovery document of another one, which would receive a JWT that works elsewhere.
    """
    pem, moment = key.get_secret_value(), int(now().timestamp())
    audience = token_endpoint if settings.client_key_audience == "token_endpoint" else settings.issuer
    claims = {
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": audience,
        "iat": moment,
        "nbf": moment,
        "exp": moment + ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(24),
    }
    headers = {} if settings.client_key_id is None else {"kid": settings.client_key_id}
    return jwt.encode(claims, pem, find_signing_algorithm(pem), headers=headers)
