"""Parse the first request on a connection to the egress proxy, and write the proxy's own answers. Pure."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from crewai_runner.core.url_validation import UrlRefused, get_port, normalize_host, parse_url

_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]{1,4096}) HTTP/1\.[01]")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/@?#:\[\]]+):(?P<port>[0-9]{1,5})")
_NOT_FORWARDED = frozenset({b"host", b"connection", b"keep-alive", b"te", b"upgrade"})


class MalformedRequest(Exception):
    """Not a request to a proxy. The message is for people."""


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """Where a connection should lead. `head` is sent there first: empty for a tunnel (CONNECT)."""

    host: str
    port: int
    head: bytes

    @property
    def is_tunnel(self) -> bool:
        return not self.head


def parse_request(head: bytes) -> ProxyRequest:
    """Parse a request up to and including its blank line. Raises MalformedRequest."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise MalformedRequest("This is not an HTTP/1.1 request.")
    method, target = match[1].decode(), match[2].decode()
    try:
        if method == "CONNECT":
            return _parse_tunnel(target)
        return _parse_plain(method, target, lines)
    except UrlRefused as error:
        raise MalformedRequest(str(error)) from error


def format_answer(status: HTTPStatus, message: str) -> bytes:
    """Return an HTTP answer that ends the connection."""
    body = f"{message}\n".encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def _parse_tunnel(target: str) -> ProxyRequest:
    authority = _AUTHORITY.fullmatch(target)
    if authority is None or not 0 < int(authority["port"]) < 65536:
        raise MalformedRequest("CONNECT requires a host and a port.")
    return ProxyRequest(normalize_host(authority["host"]), int(authority["port"]), b"")


def _parse_plain(method: str, target: str, lines: list[bytes]) -> ProxyRequest:
    url = parse_url(target)
    if url.scheme != "http":
        raise MalformedRequest("A proxy request names an http:// URL; for https use CONNECT.")
    host, port = normalize_host(url.raw_host.decode("ascii")), get_port(url)
    # One request for each connection: a second one could be for another host.
    start = [
        f"{method} ".encode() + url.raw_path + b" HTTP/1.1",
        b"Host: " + url.netloc,
        b"Connection: close",
    ]
    kept = [line for line in lines if _is_forwarded(line)]
    return ProxyRequest(host, port, b"\r\n".join([*start, *kept, b"", b""]))


def _is_forwarded(line: bytes) -> bool:
    name = line.partition(b":")[0].lower()
    # A line that starts with a space would continue the previous one, which may have been removed.
    is_header = name.strip() == name and name != b"" and b":" in line
    return is_header and name not in _NOT_FORWARDED and not name.startswith(b"proxy-")
