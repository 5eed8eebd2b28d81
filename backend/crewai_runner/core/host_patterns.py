"""Lists of hosts: the names that a workflow's tools may contact, and the private hosts of an installation."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

import httpx

from crewai_runner.core.url_validation import UrlRefused, normalize_host, parse_ip_literal

Network = IPv4Network | IPv6Network
_WILDCARD = "*."
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class HostPattern:
    """A host name, an address or, as wildcard, all names below a domain; on one port, or on every one."""

    host: str
    port: int | None = None
    is_wildcard: bool = False

    def matches(self, host: str, port: int) -> bool:
        """`host` is normalized. A wildcard does not match its own domain, nor an address."""
        if self.port is not None and self.port != port:
            return False
        address = parse_ip_literal(host)
        if self.is_wildcard:
            return address is None and host.endswith(f".{self.host}")
        return (host if address is None else str(address)) == self.host


@dataclass(frozen=True, slots=True)
class PrivateHosts:
    """Hosts of private networks that may be contacted: by name, and by the address that a name has."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()


def parse_host_pattern(text: str) -> HostPattern:
    """Parse `api.example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`, each with an optional port.

    Case, a trailing dot and the spelling of an international name do not matter. Raises ValueError with a
    message for people.
    """
    rest = text.removeprefix(_WILDCARD)
    is_wildcard = rest != text
    if parse_ip_literal(rest) is not None and ":" in rest:
        rest = f"[{rest}]"
    # Reject everything that a URL has besides host and port, before a URL parser could read it as such.
    if not rest or any(character in "/\\@?#*%" or character <= " " for character in rest):
        raise ValueError("write a host name such as api.example.com, *.example.com or api.example.com:8443")
    try:
        url = httpx.URL(f"http://{rest}")
        host = normalize_host(url.raw_host.decode("ascii"))
    except (httpx.InvalidURL, UrlRefused, UnicodeError) as error:
        raise ValueError(str(error) or "this is not a host name") from error
    if is_wildcard and (parse_ip_literal(host) is not None or "." not in host):
        raise ValueError("a wildcard stands for the names below a domain, such as *.example.com")
    address = parse_ip_literal(host)
    return HostPattern(host if address is None else str(address), _parse_port(rest), is_wildcard)


def parse_private_hosts(texts: Sequence[str]) -> PrivateHosts:
    """Parse host names, addresses, and networks such as `10.1.0.0/16` and `fd00::/8`. Raises ValueError."""
    names, networks = set(), []
    for text in texts:
        if parse_ip_literal(text.strip("[]")) is not None or "/" in text:
            networks.append(_parse_network(text.strip("[]")))
        else:
            pattern = parse_host_pattern(text)
            if pattern.is_wildcard or pattern.port is not None:
                raise ValueError("a private host is a name, an address or a network, without port")
            names.add(pattern.host)
    return PrivateHosts(frozenset(names), tuple(networks))


def _parse_port(rest: str) -> int | None:
    # httpx drops port 80, so read the port from the text.
    _, colon, port = rest.rpartition("]")[2].rpartition(":")
    if not colon:
        return None
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= _MAX_PORT):
        raise ValueError(f"a port is a number from 1 to {_MAX_PORT}")
    return int(port)


def _parse_network(text: str) -> Network:
    network = ip_network(text, strict=False)
    if network.prefixlen == 0:
        raise ValueError("must not be all addresses: write the networks that tools may contact")
    return network
