"""HTTP clients that apply the egress policy.

The connection uses one of the addresses that the policy has checked, so DNS rebinding has no effect. Every
redirect is a new connection and is checked again.
"""

import asyncio
import functools
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from crewai_runner.core.answer_limits import bound_response
from crewai_runner.core.egress_meter import (
    MeasuredBlockingStream,
    MeasuredStream,
    begin_measuring,
)
from crewai_runner.core.egress_policy import EgressPolicy, ResolvedTarget, resolve_name
from crewai_runner.core.url_validation import (
    HostUnresolved,
    RedirectRefused,
    UrlRefused,
    get_port,
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

_ConnectOptions = Iterable[Any]


@functools.cache
def _tls_context() -> ssl.SSLContext:
    # Loading the certificate bundle takes 90 % of the time that a new client needs.
    return httpx.create_ssl_context(trust_env=False)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to checked addresses only; TLS and the Host header keep the URL's name."""

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
        for address in await self._resolve(host, port, timeout):
            try:
                stream = await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
                return stream if self._policy.observer is None else MeasuredStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def _resolve(self, host: str, port: int, seconds: float | None) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(seconds):
                return await self._policy.resolve_allowed(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"Looking up {host} took too long") from error

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _GuardedBlockingBackend(httpcore.NetworkBackend):
    """`_GuardedBackend` for a thread without an event loop."""

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
                stream = self._network.connect_tcp(address, port, timeout, local_address, socket_options)
                return stream if self._policy.observer is None else MeasuredBlockingStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """An httpx transport that connects only to addresses that its policy allows, and bounds the answers.

    Other requests, redirects included, raise UrlRefused. Bodies arrive decompressed; a body beyond the limits
    raises AnswerTooLarge while it is read. The policy's observer sees every request.
    """

    def __init__(self, policy: EgressPolicy, max_connections: int = 10) -> None:
        super().__init__(verify=_tls_context(), trust_env=False)
        self._limits, self._observer = policy.limits, policy.observer
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls_context(),
            max_connections=max_connections,
            keepalive_expiry=5.0,
            network_backend=_GuardedBackend(policy),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._send(request)
        try:
            return bound_response(response, request.url.host, self._limits)
        except httpx.TransportError:
            await response.aclose()
            raise

    async def _send(self, request: httpx.Request) -> httpx.Response:
        if self._observer is None:
            return await self._send_checked(request)
        measured = begin_measuring(self._observer, request.url)
        with measured.sending():
            response = await self._send_checked(request)
        return measured.watch(response)

    async def _send_checked(self, request: httpx.Request) -> httpx.Response:
        parse_url(request.url)
        request.headers["Accept-Encoding"] = "identity"
        return await super().handle_async_request(request)


class GuardedBlockingTransport(httpx.HTTPTransport):
    """`GuardedTransport` for a client without an event loop."""

    def __init__(self, policy: EgressPolicy) -> None:
        super().__init__(verify=_tls_context(), trust_env=False)
        self._limits, self._observer = policy.limits, policy.observer
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls_context(), keepalive_expiry=5.0, network_backend=_GuardedBlockingBackend(policy)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._send(request)
        try:
            return bound_response(response, request.url.host, self._limits)
        except httpx.TransportError:
            response.close()
            raise

    def _send(self, request: httpx.Request) -> httpx.Response:
        if self._observer is None:
            return self._send_checked(request)
        measured = begin_measuring(self._observer, request.url)
        with measured.sending():
            response = self._send_checked(request)
        return measured.watch(response)

    def _send_checked(self, request: httpx.Request) -> httpx.Response:
        parse_url(request.url)
        request.headers["Accept-Encoding"] = "identity"
        return super().handle_request(request)


def guarded_client(policy: EgressPolicy, *, max_connections: int = 10, **options: Any) -> httpx.AsyncClient:
    """Create an httpx client that applies the policy; further requests wait for a connection.

    `options` are those of httpx, except the ones that could bypass the policy. Proxies of the environment are
    ignored. Redirects are off unless `follow_redirects=True`.
    """
    _refuse_bypass(options)
    return httpx.AsyncClient(transport=GuardedTransport(policy, max_connections), trust_env=False, **options)


def guarded_blocking_client(policy: EgressPolicy, **options: Any) -> httpx.Client:
    """`guarded_client` for a thread without an event loop."""
    _refuse_bypass(options)
    return httpx.Client(transport=GuardedBlockingTransport(policy), trust_env=False, **options)


def refuse_foreign_redirect(response: httpx.Response) -> None:
    """Raise RedirectRefused for a redirect to another scheme, host or port.

    As a response hook of a client that follows redirects: what was sent to one server goes to no other.
    """
    if not response.has_redirect_location:
        return
    origin, target = response.request.url, response.request.url.join(response.headers["location"])
    if (target.scheme, target.host, get_port(target)) != (origin.scheme, origin.host, get_port(origin)):
        raise RedirectRefused(
            f"{origin.host} redirects to {target.scheme}://{target.netloc.decode('ascii', 'replace')}. "
            "Prompts and keys are not sent on to another server; enter its address as the base URL."
        )


def _refuse_bypass(options: dict[str, Any]) -> None:
    bypass = {"transport", "mounts", "proxy", "trust_env", "verify", "cert"} & options.keys()
    if bypass:
        raise TypeError(f"these options would bypass the egress policy: {', '.join(sorted(bypass))}")
