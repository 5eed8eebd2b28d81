"""Egress control: which hosts the server may connect to for user-given URLs.

Every address that a name resolves to is checked.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from crewai_runner.core.address_scope import AddressScope, IPAddress, classify_address, list_private_parts
from crewai_runner.core.answer_limits import AnswerLimits
from crewai_runner.core.egress_meter import RequestObserver
from crewai_runner.core.host_patterns import HostPattern, PrivateHosts
from crewai_runner.core.url_validation import (
    HostNotAllowed,
    HostUnresolved,
    UrlRefused,
    get_port,
    normalize_host,
    parse_ip_literal,
    parse_url,
)

ALLOW_IN_WORKFLOW = "To allow it, add it to `allowed_hosts` in the workflow."
Resolver = Callable[[str, int], Sequence[str]]
"""Blocking: resolves a host and port to IP addresses; raises OSError when the name is unknown."""


def resolve_name(host: str, port: int) -> list[str]:
    """Resolve a name with the system resolver. Blocks; raises OSError."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """An allowed URL with its checked addresses."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Decides which addresses may be contacted for user-given URLs.

    `allow_private` permits loopback and private networks (such as a model server on this machine);
    `private_hosts` permits only these names and addresses there. `allowed_hosts`, unless it is None, permits
    only these hosts, public or private; the other rules apply to them too. `limits` bounds what a server may
    answer. `remedy` says how a host can be allowed that is not; `observer` sees every request. Link-local,
    metadata, multicast, reserved and unspecified addresses are never permitted.
    """

    allow_private: bool
    resolve: Resolver = resolve_name
    private_hosts: PrivateHosts = field(default_factory=PrivateHosts)
    allowed_hosts: tuple[HostPattern, ...] | None = None
    limits: AnswerLimits = field(default_factory=AnswerLimits)
    remedy: str = ALLOW_IN_WORKFLOW
    observer: RequestObserver | None = field(default=None, compare=False, repr=False)

    async def check_url(self, url: str) -> ResolvedTarget:
        """Check a URL and all addresses of its host.

        Raises UrlRefused, or its subclass HostUnresolved when the host has no address.
        """
        parsed = parse_url(url)
        host, port = parsed.raw_host.decode("ascii"), get_port(parsed)
        addresses = await self.resolve_allowed(host, port)
        return ResolvedTarget(url, parsed.scheme, normalize_host(host), port, addresses)

    async def resolve_allowed(self, host: str, port: int) -> tuple[str, ...]:
        """Resolve a host to its addresses. Raises like `check_url`."""
        name, literal = self._check_name(host, port)
        if literal is not None:
            return self._check_addresses(name, [literal])
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(None, self.resolve, name, port)
        except (OSError, UnicodeError) as error:
            raise _unresolved(name) from error
        return self._check_addresses(name, map(ipaddress.ip_address, found))

    def resolve_allowed_blocking(self, host: str, port: int) -> tuple[str, ...]:
        """`resolve_allowed` for a thread without an event loop."""
        name, literal = self._check_name(host, port)
        if literal is not None:
            return self._check_addresses(name, [literal])
        try:
            found = self.resolve(name, port)
        except (OSError, UnicodeError) as error:
            raise _unresolved(name) from error
        return self._check_addresses(name, map(ipaddress.ip_address, found))

    def _check_name(self, host: str, port: int) -> tuple[str, IPAddress | None]:
        """Return the normalized name, and the address if it is one. A refused name is never looked up."""
        name = normalize_host(host)
        allowed = self.allowed_hosts
        if allowed is not None and not any(pattern.matches(name, port) for pattern in allowed):
            raise HostNotAllowed(
                f"{name} (port {port}) is not among the hosts that this workflow may contact. {self.remedy}"
            )
        return name, parse_ip_literal(name)

    def _check_addresses(self, name: str, addresses: Iterable[IPAddress]) -> tuple[str, ...]:
        checked = []
        for address in addresses:
            scope = classify_address(address)
            if scope is AddressScope.FORBIDDEN:
                raise UrlRefused(
                    f"{name} resolves to {address}: link-local, metadata, multicast and unspecified "
                    "addresses are never contacted."
                )
            if scope is AddressScope.PRIVATE and not self._may_be_private(name, address):
                raise UrlRefused(
                    f"{name} resolves to {address}, an address of a private network, "
                    "which this server is configured not to contact."
                )
            checked.append(str(address))
        if not checked:
            raise _unresolved(name)
        return tuple(checked)

    def _may_be_private(self, name: str, address: IPAddress) -> bool:
        if self.allow_private or name in self.private_hosts.names:
            return True
        networks = self.private_hosts.networks
        parts = list_private_parts(address)
        return all(any(part in network for network in networks) for part in parts)


def _unresolved(name: str) -> HostUnresolved:
    return HostUnresolved(f"The host {name} was not found.")
