"""Classify IP addresses as public, private or never to be contacted."""

import ipaddress
from collections.abc import Iterator
from enum import IntEnum

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPv6 = ipaddress.IPv6Address


class AddressScope(IntEnum):
    """Ordered by severity, so that `max` gives the strictest scope."""

    PUBLIC = 0
    PRIVATE = 1
    FORBIDDEN = 2


# Link-local holds the metadata service of most clouds. The single addresses are metadata and control
# services inside private or public ranges: AWS over IPv6, Google over IPv6, Alibaba, Oracle, Azure.
_FORBIDDEN = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "168.63.129.16/32",
    )
)
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "::1/128",
        "64:ff9b:1::/48",
        "fc00::/7",
        "fec0::/10",
    )
)
_TRANSLATED_LOW_BITS = tuple(
    ipaddress.IPv6Network(text) for text in ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_LOOPBACK_OR_UNSPECIFIED = 1
_ISATAP_IDENTIFIERS = (0x00005EFE, 0x02005EFE)
_LOW_32 = 2**32 - 1


def classify_address(address: IPAddress) -> AddressScope:
    """Return the strictest scope of an address and of every IPv4 address embedded in it."""
    scope = _classify_outer(address)
    if isinstance(address, IPv6):
        scope = max([scope, *(_classify_outer(inner) for inner in _embedded_addresses(address))])
    return scope


def list_private_parts(address: IPAddress) -> list[IPAddress]:
    """Return the private ones among an address and the IPv4 addresses embedded in it."""
    embedded = _embedded_addresses(address) if isinstance(address, IPv6) else ()
    return [part for part in (address, *embedded) if _classify_outer(part) is AddressScope.PRIVATE]


def _classify_outer(address: IPAddress) -> AddressScope:
    if any(address in network for network in _FORBIDDEN):
        return AddressScope.FORBIDDEN
    if any(address in network for network in _PRIVATE):
        return AddressScope.PRIVATE
    if isinstance(address, IPv6) and any(address in network for network in _TRANSLATED_LOW_BITS):
        return AddressScope.PUBLIC  # the embedded address decides
    return AddressScope.PUBLIC if address.is_global else AddressScope.PRIVATE


def _embedded_addresses(address: IPv6) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that a router or tunnel extracts from an IPv6 address."""
    number = int(address)
    low = ipaddress.IPv4Address(number & _LOW_32)
    if any(address in network for network in (*_TRANSLATED_LOW_BITS, _NAT64_LOCAL)):
        yield low
    if address in _COMPATIBLE and number > _LOOPBACK_OR_UNSPECIFIED:
        yield low
    if address in _SIX_TO_FOUR:
        yield ipaddress.IPv4Address(number >> 80 & _LOW_32)
    if address in _TEREDO:
        yield ipaddress.IPv4Address(number >> 64 & _LOW_32)
        yield ipaddress.IPv4Address(~number & _LOW_32)
    if number >> 32 & _LOW_32 in _ISATAP_IDENTIFIERS:
        yield low
