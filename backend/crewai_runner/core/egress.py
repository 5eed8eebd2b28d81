"""The one guard for URLs that users give: where the product may connect to, and where never.

A name is judged by every address it resolves to, and the connection is made to one of the
addresses judged, so that a name that changes its mind between the two gains nothing. Every hop
of a redirect is a new connection and is judged again.
"""

import asyncio
import functools
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from crewai_runner.core.address_scope import AddressScope, IPAddress, classify_address
from crewai_runner.core.url_validation import (
    HostUnresolved,
    UrlRefused,
    get_port,
    normalize_host,
    parse_ip_literal,
    parse_url,
)

__all__ = [
    "EgressPolicy",
    "GuardedBlockingTransport",
    "GuardedTransport",
    "HostUnresolved",
    "ResolvedTarget",
    "UrlRefused",
    "guarded_blocking_client",
    "guarded_client",
    "resolve_name",
]

Resolver = Callable[[str, int], Sequence[str]]
"""Blocking: host and port in, IP addresses out; raises OSError when the name is unknown."""

_ConnectOptions = Iterable[Any]


def resolve_name(host: str, port: int) -> list[str]:
    """The addresses of a name by the system's resolver. Blocks; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """A URL that may be contacted, with the addresses that were judged."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Where outgoing connections to user-given URLs may go.

    `allow_private` admits loopback and private networks (a model server on this machine).
    Link-local, metadata, multicast, reserved and unspecified addresses are refused always.
    """

    allow_private: bool
    resolve: Resolver = resolve_name

    async def check_url(self, url: str) -> ResolvedTarget:
        """Judge a URL and all addresses of its host.

        Raises UrlRefused, or its kind HostUnresolved when the host has no address.
        """
        parsed = parse_url(url)
        host, port = parsed.raw_host.decode("ascii"), get_port(parsed)
        addresses = await self.resolve_allowed(host, port)
        return ResolvedTarget(url, parsed.scheme, normalize_host(host), port, addresses)

    async def resolve_allowed(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses a host may be reached at. Raises like `check_url`."""
        name = normalize_host(host)
        literal = parse_ip_literal(name)
        if literal is not None:
            return self._judged(name, [literal])
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(None, self.resolve, name, port)
        except (OSError, UnicodeError) as error:
            raise _unresolved(name) from error
        return self._judged(name, map(ipaddress.ip_address, found))

    def resolve_allowed_blocking(self, host: str, port: int) -> tuple[str, ...]:
        """`resolve_allowed` for a thread without an event loop."""
        name = normalize_host(host)
        literal = parse_ip_literal(name)
        if literal is not None:
            return self._judged(name, [literal])
        try:
            found = self.resolve(name, port)
        except (OSError, UnicodeError) as error:
            raise _unresolved(name) from error
        return self._judged(name, map(ipaddress.ip_address, found))

    def _judged(self, name: str, addresses: Iterable[IPAddress]) -> tuple[str, ...]:
        judged = []
        for address in addresses:
            reach = classify_address(address)
            if reach is AddressScope.FORBIDDEN:
                raise UrlRefused(
                    f"{name} leads to {address}: link-local, metadata, multicast and unspecified "
                    "addresses are never contacted."
                )
            if reach is AddressScope.PRIVATE and not self.allow_private:
                raise UrlRefused(
                    f"{name} leads to {address}, an address of a private network, "
                    "which this server is set not to contact."
                )
            judged.append(str(address))
        if not judged:
            raise _unresolved(name)
        return tuple(judged)


def _unresolved(name: str) -> HostUnresolved:
    return HostUnresolved(f"The host {name} was not found.")


@functools.cache
def _tls_context() -> ssl.SSLContext:
    # Reading the certificate bundle is nine tenths of what making a client costs.
    return httpx.create_ssl_context(trust_env=False)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to judged addresses only; TLS and Host keep the URL's own name."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's own signature)
        local_address: str | None = None,
        socket_options: _ConnectOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in await self._addresses(host, port, timeout):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def _addresses(self, host: str, port: int, seconds: float | None) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(seconds):
                return await self._policy.resolve_allowed(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"Looking up {host} took too long") from error

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _GuardedBlockingBackend(httpcore.NetworkBackend):
    """The same for a thread without an event loop."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _ConnectOptions | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._policy.resolve_allowed_blocking(host, port):
            try:
                return self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """An httpx transport that connects only where its policy allows.

    Raises UrlRefused from the request that would have gone elsewhere, redirect hops included.
    """

    def __init__(self, policy: EgressPolicy) -> None:
        super().__init__(verify=_tls_context(), trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls_context(), keepalive_expiry=5.0, network_backend=_GuardedBackend(policy)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        parse_url(request.url)
        return await super().handle_async_request(request)


class GuardedBlockingTransport(httpx.HTTPTransport):
    """`GuardedTransport` for a client without an event loop."""

    def __init__(self, policy: EgressPolicy) -> None:
        super().__init__(verify=_tls_context(), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls_context(), keepalive_expiry=5.0, network_backend=_GuardedBlockingBackend(policy)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        parse_url(request.url)
        return super().handle_request(request)


def guarded_client(policy: EgressPolicy, **options: Any) -> httpx.AsyncClient:
    """An httpx client behind the guard; `options` are httpx's, save those that could get round it.

    Environment proxies are ignored. Redirects are off unless `follow_redirects=True`.
    """
    _refuse_bypass(options)
    return httpx.AsyncClient(transport=GuardedTransport(policy), trust_env=False, **options)


def guarded_blocking_client(policy: EgressPolicy, **options: Any) -> httpx.Client:
    """`guarded_client` for a thread without an event loop."""
    _refuse_bypass(options)
    return httpx.Client(transport=GuardedBlockingTransport(policy), trust_env=False, **options)


def _refuse_bypass(options: dict[str, Any]) -> None:
    bypass = {"transport", "mounts", "proxy", "trust_env", "verify", "cert"} & options.keys()
    if bypass:
        raise TypeError(f"these would get round the guard: {', '.join(sorted(bypass))}")
