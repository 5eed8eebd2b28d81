"""Validation of connections. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from crewai_runner.core.secret_strength import find_weakness
from crewai_runner.core.url_validation import (
    UrlRefused,
    get_port,
    normalize_host,
    parse_server_url,
    parse_url,
)
from crewai_runner.domain.connection import (
    CONNECTION_TITLES,
    DEFAULT_CONNECTION_URLS,
    MESSAGE_KINDS,
    SECRET_REQUIRED_KINDS,
    SERVER_SCHEMES,
    URL_REQUIRED_KINDS,
    ConnectionKind,
    ConnectionOptions,
    HttpAuth,
)
from crewai_runner.domain.email_address import find_address_problem

_OWN_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "cookie"}
)
_DATABASE_PATH = re.compile(r"/[A-Za-z0-9_.-]{1,63}")
Finding = tuple[str, str]
"""A JSON pointer and a message."""
Origin = tuple[str, str, int]
"""Scheme, host and port."""


@dataclass(frozen=True, slots=True)
class ConnectionAddress:
    """Where the secret of a connection is sent."""

    kind: ConnectionKind
    base_url: str | None
    token_url: str | None = None

    @property
    def origins(self) -> tuple[Origin | None, Origin | None]:
        """Where the secret goes, and its tokens: only to the origins that it was entered for."""
        url = self.base_url or DEFAULT_CONNECTION_URLS.get(self.kind)
        return _read_origin(url), _read_origin(self.token_url)


def _read_origin(url: str | None) -> Origin | None:
    if url is None:
        return None
    parsed = httpx.URL(url)
    return parsed.scheme, normalize_host(parsed.raw_host.decode("ascii")), get_port(parsed)


def find_problems(
    kind: ConnectionKind,
    base_url: str | None,
    options: ConnectionOptions,
    secret: str | None,
    *,
    has_secret: bool,
) -> list[Finding]:
    """Return what is wrong; `secret` is a new one, `has_secret` says whether there is one then."""
    problems = [*_check_address(kind, base_url), *_check_options(kind, options)]
    if secret is not None:
        problems += _check_webhook(secret) if kind in MESSAGE_KINDS else _check_secret(secret)
    needs_secret = kind in SECRET_REQUIRED_KINDS or options.auth is not HttpAuth.NONE
    if needs_secret and not has_secret:
        what = "the URL of the webhook" if kind in MESSAGE_KINDS else "a key or password"
        problems.append(("/secret", f"{CONNECTION_TITLES[kind]} needs {what} here."))
    return problems


def _check_address(kind: ConnectionKind, base_url: str | None) -> Iterator[Finding]:
    if base_url is None:
        if kind in URL_REQUIRED_KINDS:
            yield "/baseUrl", f"{CONNECTION_TITLES[kind]} needs an address."
        return
    if kind in MESSAGE_KINDS:
        yield "/baseUrl", "The webhook's URL is the secret; there is no other address."
        return
    schemes = SERVER_SCHEMES.get(kind)
    problem = _find_url_problem(base_url, schemes)
    if problem is not None:
        yield "/baseUrl", problem
    elif "?" in base_url or "#" in base_url:
        yield "/baseUrl", "An address must not have a query or a fragment; a key belongs in `secret`."
    elif kind is ConnectionKind.POSTGRESQL and not _DATABASE_PATH.fullmatch(httpx.URL(base_url).path):
        yield "/baseUrl", "Name the database in the address: postgresql://host:5432/database."
    elif kind is ConnectionKind.SMTP and httpx.URL(base_url).path not in {"", "/"}:
        yield "/baseUrl", "The address of a mail server has no path: smtp://host:587 or smtps://host:465."


def _find_url_problem(url: str, schemes: AbstractSet[str] | None = None) -> str | None:
    try:
        parsed = parse_url(url) if schemes is None else parse_server_url(url, schemes)
        normalize_host(parsed.raw_host.decode("ascii"))
        get_port(parsed)
    except UrlRefused as error:
        return error.detail
    return None


def _check_options(kind: ConnectionKind, options: ConnectionOptions) -> Iterator[Finding]:
    allowed = _OPTIONS.get(kind, frozenset())
    for name in sorted(ConnectionOptions.model_fields.keys() - allowed):
        if getattr(options, name) != getattr(ConnectionOptions(), name):
            label = ConnectionOptions.model_fields[name].alias or name
            yield f"/options/{label}", f"Connections of kind `{kind}` have no option `{label}`."
    check = _OPTION_CHECKS.get(kind)
    if check is not None:
        yield from check(options)


def _check_http_options(options: ConnectionOptions) -> Iterator[Finding]:
    if (options.auth is HttpAuth.HEADER) != (options.header is not None):
        yield "/options/header", "Name the header if `auth` is `header`, and only then."
    if options.header is not None and options.header.lower() in _OWN_HEADERS:
        yield "/options/header", f"{options.header} is set for each request and cannot carry the secret."
    if (options.auth in {HttpAuth.BASIC, HttpAuth.OAUTH}) != (options.username is not None):
        yield (
            "/options/username",
            "Name the user if `auth` is `basic`, the client if it is `oauth`; only then.",
        )
    if (options.auth is HttpAuth.OAUTH) != (options.token_url is not None):
        yield (
            "/options/tokenUrl",
            "Give the address of the token endpoint if `auth` is `oauth`, and only then.",
        )
    elif options.token_url is not None and (problem := _find_url_problem(options.token_url)):
        yield "/options/tokenUrl", problem
    if options.scope is not None and options.auth is not HttpAuth.OAUTH:
        yield "/options/scope", "Only `oauth` has a scope."


def _check_database_options(options: ConnectionOptions) -> Iterator[Finding]:
    if options.username is None:
        yield "/options/username", "Name the user of the database, who should have no right but to read."


def _check_mail_options(options: ConnectionOptions) -> Iterator[Finding]:
    if options.sender is None or find_address_problem(options.sender):
        yield "/options/sender", "Give the address that emails are from, such as crew@example.com."
    if not options.recipients:
        yield "/options/recipients", "Say who may receive emails, as addresses or domains (`@example.com`)."
    for number, recipient in enumerate(options.recipients):
        problem = find_address_problem(f"a{recipient}" if recipient.startswith("@") else recipient)
        if problem is not None:
            yield f"/options/recipients/{number}", problem


_OPTIONS: Mapping[ConnectionKind, frozenset[str]] = MappingProxyType(
    {
        ConnectionKind.HTTP: frozenset({"auth", "header", "username", "methods", "token_url", "scope"}),
        ConnectionKind.POSTGRESQL: frozenset({"username", "tls"}),
        ConnectionKind.SMTP: frozenset({"username", "tls", "sender", "recipients"}),
    }
)
_OPTION_CHECKS: Mapping[ConnectionKind, Callable[[ConnectionOptions], Iterator[Finding]]] = MappingProxyType(
    {
        ConnectionKind.HTTP: _check_http_options,
        ConnectionKind.POSTGRESQL: _check_database_options,
        ConnectionKind.SMTP: _check_mail_options,
    }
)


def _check_secret(secret: str) -> Iterator[Finding]:
    # The secret is sent in a header: invalid characters would fail later, with an error that quotes it.
    if not all("\x21" <= character <= "\x7e" for character in secret):
        yield "/secret", "It must consist of printable ASCII characters without spaces."
        return
    weakness = find_weakness(secret)
    if weakness is not None:
        reason = (
            f"The key {weakness}. Secrets are masked in everything that runs write, so one must not occur in "
            "normal text. Enter the key as the service issued it, or a longer password."
        )
        yield "/secret", reason


def _check_webhook(url: str) -> Iterator[Finding]:
    problem = _find_url_problem(url)
    if problem is not None:
        yield "/secret", f"The URL of the webhook is not valid: {problem}"
    elif len(httpx.URL(url).path) < 16:
        yield "/secret", "This is not the URL of a webhook: its path holds no token."
