"""The address of a client behind trusted proxies, from `X-Forwarded-For`."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""The client of a connection without an address, such as a Unix socket."""

MAX_HOPS = 20
"""Entries of X-Forwarded-For that are read, from the right. Longer chains are not legitimate."""

IPV6_CLIENT_PREFIX = 64
"""The network that one IPv6 client controls: limits count it as one address."""


def parse_networks(texts: Sequence[str]) -> list[Network]:
    """Parse addresses and networks such as `10.0.0.1` and `fd00::/8`. Raises ValueError."""
    return [ip_network(text, strict=False) for text in texts]


def find_client(peer: str, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the client's address.

    `peer` is the other end of the connection and `forwarded_for` the values of all X-Forwarded-For headers in
    their order. The entries are read from the right, for as long as the one that added them is trusted. An
    unreadable entry ends the search: then the client is the last address that is known.
    """
    current = _parse_address(peer)
    if current is None:
        return peer or UNKNOWN
    for entry in _read_entries(forwarded_for):
        if not _is_in(current, trusted):
            break
        reported = _parse_address(entry)
        if reported is None:
            break
        current = reported
    return str(current)


@lru_cache(maxsize=512)
def get_limited_address(client: str) -> str:
    """Return what limits count as one client: an IPv4 address, or the /64 network of an IPv6 address."""
    address = _parse_address(client)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_CLIENT_PREFIX), strict=False))
    return str(address or client)


def is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    """Return whether the other end of a connection is a trusted proxy."""
    address = _parse_address(peer)
    return address is not None and _is_in(address, trusted)


def _read_entries(forwarded_for: Sequence[str]) -> Iterable[str]:
    entries = ",".join(forwarded_for).rsplit(",", MAX_HOPS)[-MAX_HOPS:]
    return (entry.strip() for entry in reversed(entries) if entry.strip())


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=512)
def _parse_address(text: str) -> Address | None:
    """Parse `1.2.3.4`, `1.2.3.4:80`, `::1` or `[::1]:80`. IPv4 mapped to IPv6 is returned as IPv4."""
    host = text
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
