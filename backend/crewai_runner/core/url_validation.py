"""Validate the syntax of user-given URLs and host names; nothing is resolved here."""

import ipaddress
import re
from collections.abc import Set as AbstractSet
from http import HTTPStatus

import httpx

from crewai_runner.core.address_scope import IPAddress
from crewai_runner.core.errors import AppError

_HTTP_SCHEMES = frozenset({"http", "https"})
_DEFAULT_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "smtp": 587, "smtps": 465}
KNOWN_SCHEMES = frozenset(_DEFAULT_PORTS)
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*")
_NUMBER_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_MAX_URL_LENGTH = 2048


class UrlRefused(AppError):
    """This server may not contact the URL."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    slug = "url-refused"
    title = "This URL is not allowed"


class HostUnresolved(UrlRefused):
    """The host of the URL has no address."""

    slug = "host-unresolved"
    title = "The host of this URL was not found"


class HostNotAllowed(UrlRefused):
    """The workflow may not contact the host of the URL."""

    slug = "host-not-allowed"
    title = "The workflow may not contact this host"


class RedirectRefused(UrlRefused):
    """A server redirects to another one, which must not receive what was sent."""

    slug = "redirect-refused"
    title = "This redirect is not followed"


def parse_url(url: str | httpx.URL) -> httpx.URL:
    """Parse an http(s) URL with a host and without credentials. Raises UrlRefused for others."""
    return parse_server_url(url, _HTTP_SCHEMES)


def parse_server_url(url: str | httpx.URL, schemes: AbstractSet[str]) -> httpx.URL:
    """`parse_url` for other schemes."""
    if len(str(url)) > _MAX_URL_LENGTH:
        raise UrlRefused(f"The URL is longer than {_MAX_URL_LENGTH} characters.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise UrlRefused("This is not a valid URL.") from error
    if parsed.scheme not in schemes:
        raise UrlRefused(f"Only {' and '.join(sorted(schemes))} URLs are allowed.")
    if parsed.userinfo:
        raise UrlRefused("A URL must not carry a user name or password.")
    if not parsed.raw_host:
        raise UrlRefused("The URL has no host.")
    return parsed


def normalize_host(host: str) -> str:
    """Return a host in lower case, without brackets and trailing dot. Raises UrlRefused.

    Numbers that only some resolvers read as an address (`2130706433`, `0x7f.1`, `0177.0.0.1`) are refused:
    a check could pass with one reading and the connection use the other.
    """
    name = host.lower().strip("[]").removesuffix(".")
    if parse_ip_literal(name) is not None:
        return name
    if not _HOST_NAME.fullmatch(name) or len(name) > 253:
        raise UrlRefused("The URL's host is not a valid host name or address.")
    if _NUMBER_LABEL.fullmatch(name.rsplit(".", 1)[-1]):
        raise UrlRefused("Write an IP address in its usual form, such as 192.0.2.1.")
    if name in _METADATA_NAMES:
        raise UrlRefused(f"{name} is a cloud metadata service, which is never contacted.")
    return name


def parse_ip_literal(name: str) -> IPAddress | None:
    """Return the IP address if the host name is one, else None."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def get_port(url: httpx.URL) -> int:
    """Return the port of a URL, explicit or by scheme. Raises UrlRefused."""
    port = url.port if url.port is not None else _DEFAULT_PORTS[url.scheme]
    if not 0 < port < 65536:
        raise UrlRefused("The URL's port is not a valid port.")
    return port
