"""What makes a provider whole, where it is reached, and when a stored key may go along. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from crewai_runner.core.url_validation import UrlRefused, get_port, normalize_host, parse_url
from crewai_runner.domain.provider import (
    BASE_URL_REQUIRED_TYPES,
    DEFAULT_BASE_URLS,
    ProviderType,
    resolve_base_url,
)

HINT_LENGTH = 4
SHORTEST_KEY_WITH_HINT = 12
API_VERSION = "api-version"
_OPTIONS_OF: Mapping[str, frozenset[ProviderType]] = {
    "api_version": frozenset({ProviderType.AZURE}),
    "region": frozenset({ProviderType.BEDROCK}),
}
_WIRE_NAMES = {"api_version": "apiVersion", "region": "region"}
_BEDROCK_KEY = re.compile(r"[^:]+:[^:]+(:[^:]+)?")

Flaw = tuple[str, str]
"""A JSON pointer and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Place:
    """Type, address and options of a provider: everything that decides where its calls go."""

    type: ProviderType
    base_url: str | None
    options: Mapping[str, Any]

    @property
    def url(self) -> str | None:
        """The base URL that calls use, options worked in; None for the built-in model's moving address."""
        if self.type is ProviderType.BEDROCK and not self.base_url and self.options.get("region"):
            return f"https://bedrock-runtime.{self.options['region']}.amazonaws.com"
        url = resolve_base_url(self.type, self.base_url)
        if url and self.type is ProviderType.AZURE and self.options.get("api_version"):
            return str(httpx.URL(url).copy_set_param(API_VERSION, self.options["api_version"]))
        return url

    @property
    def origin(self) -> tuple[str, str, int] | None:
        """Scheme, host and port: a key given for one of these is for no other."""
        if self.url is None:
            return None
        parsed = httpx.URL(self.url)
        return parsed.scheme, normalize_host(parsed.raw_host.decode("ascii")), get_port(parsed)

    @property
    def is_own_service(self) -> bool:
        """Whether this is the vendor's own address rather than a server that speaks like it."""
        default = DEFAULT_BASE_URLS.get(self.type)
        return default is not None and self.origin == Place(self.type, default, {}).origin


def tidy_place(place: Place) -> Place:
    """The same place in one spelling: an Azure URL's `?api-version=` becomes the option."""
    url = (place.base_url or "").strip().rstrip("/") or None
    options = {name: value for name, value in place.options.items() if value is not None}
    if url and place.type is ProviderType.AZURE and "?" in url:
        bare, _, query = url.partition("?")
        params = httpx.QueryParams(query)
        if set(params) == {API_VERSION}:
            return Place(place.type, bare.rstrip("/"), {"api_version": params[API_VERSION], **options})
    return Place(place.type, url, options)


def flaws_of(place: Place, api_key: str | None) -> list[Flaw]:
    """Everything wrong with a tidied place and a newly given key; empty when it may be saved."""
    return [*_url_flaws(place), *_option_flaws(place), *_key_flaws(place.type, api_key)]


def _url_flaws(place: Place) -> Iterator[Flaw]:
    if place.base_url is None:
        if place.type in BASE_URL_REQUIRED_TYPES:
            yield "/baseUrl", f"Providers of type {place.type} need a base URL."
        return
    try:
        parsed = parse_url(place.base_url)
        normalize_host(parsed.raw_host.decode("ascii"))
        get_port(parsed)
    except UrlRefused as refusal:
        yield "/baseUrl", refusal.detail
        return
    if parsed.query or parsed.fragment or place.base_url.endswith(("?", "#")):
        yield "/baseUrl", "A base URL has no query and no fragment; a key belongs into `apiKey`."


def _option_flaws(place: Place) -> Iterator[Flaw]:
    for name in place.options:
        if place.type not in _OPTIONS_OF[name]:
            known = ", ".join(sorted(_OPTIONS_OF[name]))
            yield f"/options/{_WIRE_NAMES[name]}", f"This option is for {known} only."


def _key_flaws(kind: ProviderType, api_key: str | None) -> Iterator[Flaw]:
    if kind is ProviderType.BEDROCK and api_key and not _BEDROCK_KEY.fullmatch(api_key):
        yield (
            "/apiKey",
            "Write ACCESS_KEY_ID:SECRET_ACCESS_KEY, with :SESSION_TOKEN behind it if you have one.",
        )


def hint_of(api_key: str) -> str | None:
    """The last characters of a key, to tell keys apart; None when they would give too much away."""
    return api_key[-HINT_LENGTH:] if len(api_key) >= SHORTEST_KEY_WITH_HINT else None


def options_for(kind: ProviderType, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those options that mean something to this type."""
    return {name: value for name, value in options.items() if kind in _OPTIONS_OF[name]}
