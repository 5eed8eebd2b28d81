"""Registers this client at authorization servers, and exchanges codes and refresh tokens for tokens."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from crewai_runner.core.clock import now
from crewai_runner.core.egress import EgressPolicy, UrlRefused, guarded_client
from crewai_runner.features.mcp.errors import McpAuthorizationFailed
from crewai_runner.features.mcp.oauth.client_document import CLIENT_NAME
from crewai_runner.features.mcp.oauth.discovery import TIMEOUT_SECONDS, ServerMetadata

MAX_LIFETIME = timedelta(days=365)
UNKNOWN_LIFETIME = timedelta(hours=1)


class OAuthClient(BaseModel):
    """This server as a client of one authorization server, and the endpoint that gives it tokens."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    token_endpoint: str
    client_id: str
    auth_method: str
    """How the client authenticates: `none`, `client_secret_basic` or `client_secret_post`."""
    resource: str


class TokenAnswer(BaseModel):
    """What a token endpoint returns."""

    model_config = ConfigDict(frozen=True)

    access_token: SecretStr = Field(max_length=8000)
    token_type: str = "bearer"  # noqa: S105
    expires_in: int | None = Field(None, ge=0, le=2**31)
    refresh_token: SecretStr | None = Field(None, max_length=8000)

    def expires_at(self) -> datetime:
        """Return when the token expires; an hour from now if the server does not say."""
        given = UNKNOWN_LIFETIME if self.expires_in is None else timedelta(seconds=self.expires_in)
        return now() + min(given, MAX_LIFETIME)


class GrantRefused(McpAuthorizationFailed):
    """The authorization server does not accept a code or refresh token: a person must authorize again."""


class RegisteredClient(BaseModel):
    client_id: str = Field(min_length=1, max_length=2000)
    client_secret: SecretStr | None = None
    token_endpoint_auth_method: str = "none"  # noqa: S105


async def register(server: ServerMetadata, redirect_uri: str, policy: EgressPolicy) -> RegisteredClient:
    """Register a public client (RFC 7591). Raises McpAuthorizationFailed."""
    if server.registration_endpoint is None:
        raise McpAuthorizationFailed(
            f"{server.issuer} does not register clients by itself. "
            f"Create a client there with the redirect URI {redirect_uri}, and enter its ID."
        )
    request = {
        "client_name": CLIENT_NAME,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    response = await _post(server.registration_endpoint, policy, json=request)
    if response.status_code not in (200, 201):
        raise McpAuthorizationFailed(
            f"{server.issuer} does not register this client (HTTP {response.status_code}). "
            f"Create a client there with the redirect URI {redirect_uri}, and enter its ID."
        )
    try:
        return RegisteredClient.model_validate_json(response.content)
    except ValidationError:
        raise McpAuthorizationFailed(f"{server.issuer} sent no client ID.") from None


def choose_auth_method(server: ServerMetadata, secret: SecretStr | None) -> str:
    if secret is None:
        return "none"
    supported = server.token_endpoint_auth_methods_supported
    return "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"


async def exchange_code(
    client: OAuthClient,
    secret: SecretStr | None,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    policy: EgressPolicy,
) -> TokenAnswer:
    """Exchange a code. Raises GrantRefused, McpAuthorizationFailed."""
    grant = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    return await _request_tokens(client, secret, grant, policy)


async def refresh(
    client: OAuthClient, secret: SecretStr | None, refresh_token: SecretStr, policy: EgressPolicy
) -> TokenAnswer:
    """Exchange a refresh token, at the endpoint that gave it. Raises GrantRefused, McpAuthorizationFailed."""
    grant = {"grant_type": "refresh_token", "refresh_token": refresh_token.get_secret_value()}
    return await _request_tokens(client, secret, grant, policy)


async def _request_tokens(
    client: OAuthClient, secret: SecretStr | None, grant: Mapping[str, str], policy: EgressPolicy
) -> TokenAnswer:
    form, headers = _authenticate(client, secret, {**grant, "resource": client.resource})
    response = await _post(client.token_endpoint, policy, data=form, headers=headers)
    if response.status_code != 200:
        refusal = _read_error(response)
        message = f"{client.issuer} gives no token (HTTP {response.status_code} {refusal[:60]})."
        raise GrantRefused(message) if refusal == "invalid_grant" else McpAuthorizationFailed(message)
    try:
        answer = TokenAnswer.model_validate_json(response.content)
    except ValidationError:
        raise McpAuthorizationFailed(f"{client.issuer} sent no usable token.") from None
    if answer.token_type.lower() != "bearer":
        raise McpAuthorizationFailed(f"{client.issuer} sent a token that is not a bearer token.")
    return answer


def _authenticate(
    client: OAuthClient, secret: SecretStr | None, form: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return form and headers that authenticate this client (RFC 6749, 2.3.1)."""
    if secret is None or client.auth_method == "none":
        return form | {"client_id": client.client_id}, {}
    value = secret.get_secret_value()
    if client.auth_method == "client_secret_post":
        return form | {"client_id": client.client_id, "client_secret": value}, {}
    credentials = f"{quote(client.client_id, safe='')}:{quote(value, safe='')}"
    return form, {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


async def _post(url: str, policy: EgressPolicy, **options: Any) -> httpx.Response:  # noqa: ANN401
    try:
        async with guarded_client(policy, timeout=TIMEOUT_SECONDS) as client:
            return await client.post(url, **options)
    except UrlRefused as error:
        raise McpAuthorizationFailed(f"{urlsplit(url).hostname} is not asked: {error.detail}") from None
    except httpx.HTTPError as error:
        raise McpAuthorizationFailed(
            f"{urlsplit(url).hostname} cannot be reached ({type(error).__name__})."
        ) from error


def _read_error(response: httpx.Response) -> str:
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return ""
    return str(document.get("error", "")) if isinstance(document, dict) else ""
