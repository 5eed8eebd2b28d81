"""The endpoint of a provider: type, base URL and options, and their validation. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from crewai_runner.core.url_validation import UrlRefused, get_port, normalize_host, parse_url
from crewai_runner.domain.provider import (
    BASE_URL_REQUIRED_TYPES,
    ProviderType,
    resolve_base_url,
)

API_VERSION = "api-version"
_TYPES_BY_OPTION: Mapping[str, frozenset[ProviderType]] = {
    "api_version": frozenset({ProviderType.AZURE}),
    "region": frozenset({ProviderType.BEDROCK}),
}
_JSON_NAMES = {"api_version": "apiVersion", "region": "region"}
_BEDROCK_KEY = re.compile(r"[^:]+:[^:]+(:[^:]+)?")

ValidationError = tuple[str, str]
"""A JSON pointer and a message."""


@dataclass(frozen=True, slots=True)
class ProviderEndpoint:
    """Everything that determines where the requests to a provider are sent."""

    type: ProviderType
    base_url: str | None
    options: Mapping[str, Any]

    @property
    def url(self) -> str | None:
        """The base URL for requests with the options applied; None for the built-in model."""
        if self.type is ProviderType.BEDROCK and not self.base_url and self.options.get("region"):
            return f"https://bedrock-runtime.{self.options['region']}.amazonaws.com"
        url = resolve_base_url(self.type, self.base_url)
        if url and self.type is ProviderType.AZURE and self.options.get("api_version"):
            return str(httpx.URL(url).copy_set_param(API_VERSION, self.options["api_version"]))
        return url

    @property
    def origin(self) -> tuple[str, str, int] | None:
        """Scheme, host and port. A stored key is sent only to the origin that it was entered for."""
        if self.url is None:
            return None
        parsed = httpx.URL(self.url)
        return parsed.scheme, normalize_host(parsed.raw_host.decode("ascii")), get_port(parsed)

    def normalize(self) -> "ProviderEndpoint":
        """Return the endpoint with a trimmed URL; the `?api-version=` of an Azure URL becomes an option."""
        url = (self.base_url or "").strip().rstrip("/") or None
        options = {name: value for name, value in self.options.items() if value is not None}
        if url and self.type is ProviderType.AZURE and "?" in url:
            path, _, query = url.partition("?")
            params = httpx.QueryParams(query)
            if set(params) == {API_VERSION}:
                options = {"api_version": params[API_VERSION], **options}
                return ProviderEndpoint(self.type, path.rstrip("/"), options)
        return ProviderEndpoint(self.type, url, options)


def validate_endpoint(endpoint: ProviderEndpoint, api_key: str | None) -> list[ValidationError]:
    """Return all errors of a normalized endpoint and a new key, if there is one."""
    return [
        *_validate_url(endpoint),
        *_validate_options(endpoint),
        *_validate_key(endpoint.type, api_key),
    ]


def _validate_url(endpoint: ProviderEndpoint) -> Iterator[ValidationError]:
    if endpoint.base_url is None:
        if endpoint.type in BASE_URL_REQUIRED_TYPES:
            yield "/baseUrl", f"Providers of type {endpoint.type} require a base URL."
        return
    try:
        parsed = parse_url(endpoint.base_url)
        normalize_host(parsed.raw_host.decode("ascii"))
        get_port(parsed)
    except UrlRefused as error:
        yield "/baseUrl", error.detail
        return
    if parsed.query or parsed.fragment or endpoint.base_url.endswith(("?", "#")):
        yield "/baseUrl", "A base URL must not have a query or a fragment; a key belongs in `apiKey`."


def _validate_options(endpoint: ProviderEndpoint) -> Iterator[ValidationError]:
    for name in endpoint.options:
        if endpoint.type not in _TYPES_BY_OPTION[name]:
            types = ", ".join(sorted(_TYPES_BY_OPTION[name]))
            yield f"/options/{_JSON_NAMES[name]}", f"This option is supported for {types} only."


def _validate_key(provider_type: ProviderType, api_key: str | None) -> Iterator[ValidationError]:
    if provider_type is ProviderType.BEDROCK and api_key and not _BEDROCK_KEY.fullmatch(api_key):
        yield (
            "/apiKey",
            "Enter ACCESS_KEY_ID:SECRET_ACCESS_KEY, with :SESSION_TOKEN appended for temporary credentials.",
        )


def filter_options(provider_type: ProviderType, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that this type supports."""
    return {name: value for name, value in options.items() if provider_type in _TYPES_BY_OPTION[name]}
