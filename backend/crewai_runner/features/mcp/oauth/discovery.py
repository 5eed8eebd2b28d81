"""Finds the authorization server of an MCP server (RFC 9728, RFC 8414). What servers say is not trusted.

Every request passes the guard, no redirect is followed, and answers are limited. Addresses that servers
name must be public, unless the MCP server itself is in a private network: a server on the internet cannot
make this one ask an internal address.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from crewai_runner.core.address_scope import AddressScope, classify_address
from crewai_runner.core.answer_limits import AnswerLimits
from crewai_runner.core.egress import EgressPolicy, UrlRefused, guarded_client
from crewai_runner.core.issuer_settings import LOOPBACK_NAMES
from crewai_runner.core.url_validation import parse_ip_literal, parse_url
from crewai_runner.features.mcp.errors import McpAuthorizationFailed
from crewai_runner.features.mcp.rules import origin_of

TIMEOUT_SECONDS = 10.0
MAX_DOCUMENT_BYTES = 256 * 1024
_METADATA_URL = re.compile(r'resource_metadata="([^"]{1,2000})"', re.IGNORECASE)
_SCOPE = re.compile(r'\bscope="([^"]{1,2000})"', re.IGNORECASE)
Document = TypeVar("Document", bound=BaseModel)


def _check_endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_NAMES):
        raise ValueError("must be an https URL")
    return value


Endpoint = Annotated[str, Field(max_length=2000), AfterValidator(_check_endpoint)]


class ResourceMetadata(BaseModel):
    """What an MCP server says about its authorization."""

    model_config = ConfigDict(frozen=True)

    resource: str = Field(max_length=2000)
    authorization_servers: list[Endpoint] = Field(min_length=1, max_length=20)
    scopes_supported: list[str] = Field(default_factory=list, max_length=200)


class ServerMetadata(BaseModel):
    """What an authorization server says about itself, as far as it matters here."""

    model_config = ConfigDict(frozen=True)

    issuer: str = Field(max_length=2000)
    authorization_endpoint: Endpoint
    token_endpoint: Endpoint
    registration_endpoint: Endpoint | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    code_challenge_methods_supported: list[str] = []
    scopes_supported: list[str] = []
    authorization_response_iss_parameter_supported: bool = False
    client_id_metadata_document_supported: bool = False


@dataclass(frozen=True, slots=True)
class Discovered:
    """`resource` is what tokens are for; `policy` is where its authorization server may be reached."""

    resource: str
    scopes: tuple[str, ...]
    server: ServerMetadata
    policy: EgressPolicy


async def discover(url: str, egress: EgressPolicy) -> Discovered:
    """Find the authorization server of the MCP server at `url`. Raises McpAuthorizationFailed."""
    policy = await choose_policy(url, egress)
    async with _client(egress) as client:
        challenge = await _read_challenge(client, url)
    async with _client(policy) as client:
        resource = await _read_resource(client, url, challenge)
        server = await _read_server(client, resource.authorization_servers[0])
    named = _SCOPE.search(challenge)
    scopes = named[1].split() if named is not None else resource.scopes_supported
    return Discovered(resource.resource, tuple(scopes), server, policy)


async def choose_policy(url: str, egress: EgressPolicy) -> EgressPolicy:
    """Return where the servers that an MCP server names may be. Raises McpAuthorizationFailed."""
    try:
        target = await egress.check_url(url)
    except UrlRefused as error:
        raise McpAuthorizationFailed(error.detail) from None
    literals = [parse_ip_literal(address) for address in target.addresses]
    is_public = any(
        literal is not None and classify_address(literal) is AddressScope.PUBLIC for literal in literals
    )
    limits = AnswerLimits(MAX_DOCUMENT_BYTES, MAX_DOCUMENT_BYTES)
    return replace(egress, allow_private=egress.allow_private and not is_public, limits=limits)


def _client(policy: EgressPolicy) -> httpx.AsyncClient:
    return guarded_client(policy, timeout=TIMEOUT_SECONDS)


async def _read_challenge(client: httpx.AsyncClient, url: str) -> str:
    """Return the header with which the server asks for a token; empty if it does not."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    headers = {"accept": "application/json, text/event-stream"}
    try:
        async with client.stream("POST", url, json=request, headers=headers) as response:
            return response.headers.get("www-authenticate", "") if response.status_code == 401 else ""
    except (httpx.HTTPError, UrlRefused) as error:
        raise McpAuthorizationFailed(f"The MCP server cannot be reached: {error}") from error


async def _read_resource(client: httpx.AsyncClient, url: str, challenge: str) -> ResourceMetadata:
    for candidate in _list_resource_urls(url, challenge):
        found = await _read(client, candidate, ResourceMetadata)
        if found is None:
            continue
        if not _covers(found.resource, url):
            raise McpAuthorizationFailed(
                f"{candidate} describes another server, {found.resource[:200]}, whose tokens this one "
                "must not have."
            )
        return found
    raise McpAuthorizationFailed(
        "The MCP server does not say where it is authorized (RFC 9728). Use a bearer token or a header."
    )


def _list_resource_urls(url: str, challenge: str) -> Iterator[str]:
    """Yield where the metadata may be; an address at another origin is not asked."""
    named = _METADATA_URL.search(challenge)
    if named is not None and _is_same_origin(named[1], url):
        yield named[1]
    parsed = httpx.URL(url)
    root = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}/.well-known/oauth-protected-resource"
    if parsed.path.strip("/"):
        yield f"{root}{parsed.path.rstrip('/')}"
    yield root


async def _read_server(client: httpx.AsyncClient, issuer: str) -> ServerMetadata:
    for candidate in _list_server_urls(issuer):
        found = await _read(client, candidate, ServerMetadata)
        if found is None:
            continue
        if found.issuer.rstrip("/") != issuer.rstrip("/"):
            raise McpAuthorizationFailed(
                f"{candidate} is the document of another issuer, {found.issuer[:200]}."
            )
        if "S256" not in found.code_challenge_methods_supported:
            raise McpAuthorizationFailed(f"{issuer} does not support PKCE with S256, which is required.")
        return found
    raise McpAuthorizationFailed(f"The authorization server {issuer} publishes no metadata (RFC 8414).")


def _list_server_urls(issuer: str) -> Iterator[str]:
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    yield f"{origin}/.well-known/oauth-authorization-server{path}"
    yield f"{origin}/.well-known/openid-configuration{path}"
    if path:
        yield f"{origin}{path}/.well-known/openid-configuration"


async def _read(client: httpx.AsyncClient, url: str, kind: type[Document]) -> Document | None:
    """Return the document at a URL, None if there is none. Raises McpAuthorizationFailed."""
    try:
        response = await client.get(url, headers={"accept": "application/json"})
    except UrlRefused as error:
        raise McpAuthorizationFailed(f"{url} is not asked: {error.detail}") from None
    except httpx.HTTPError as error:
        raise McpAuthorizationFailed(f"{url} cannot be read: {error}") from error
    if response.status_code != 200:
        return None
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise McpAuthorizationFailed(f"{url} is not valid ({place}: {first['msg']}).") from None


def _is_same_origin(first: str, second: str) -> bool:
    try:
        return origin_of(str(parse_url(first))) == origin_of(second)
    except UrlRefused:
        return False


def _covers(resource: str, url: str) -> bool:
    """Return whether tokens for a resource are for this URL."""
    if not _is_same_origin(resource, url):
        return False
    scope, path = httpx.URL(resource).path.rstrip("/"), httpx.URL(url).path.rstrip("/")
    return path == scope or path.startswith(f"{scope}/")
