"""The egress proxy: what passes, what is refused, and what is recorded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core.egress_policy import EgressPolicy
from crewai_runner.core.host_patterns import parse_host_pattern
from crewai_runner.executor.projects.sandbox.egress_proxy import (
    EgressProxy,
    EgressRecord,
    ProxyLimits,
    Refusal,
)
from crewai_runner.executor.projects.sandbox.proxy_request import MalformedRequest, parse_request

ADDRESSES = {"allowed.test": ["127.0.0.1"], "metadata.test": ["169.254.169.254"]}


def resolve(host: str, port: int) -> list[str]:
    if host not in ADDRESSES:
        raise OSError("unknown")
    return ADDRESSES[host]


POLICY = EgressPolicy(allow_private=True, resolve=resolve)


@dataclass
class ProxyHarness:
    """A proxy on a Unix socket, and an echo server that answers with what it has read up to its end."""

    path: Path
    proxy: EgressProxy
    port: int
    records: list[EgressRecord] = field(default_factory=list)
    recorded: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, data: bytes) -> bytes:
        reader, writer = await self.open()
        try:
            writer.write(data)
            writer.write_eof()
            return await reader.read()
        finally:
            writer.close()

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(self.path)

    async def last_record(self) -> EgressRecord:
        async with asyncio.timeout(10):
            await self.recorded.wait()
        return self.records[-1]


Open = Callable[..., Awaitable[ProxyHarness]]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.read())
    writer.close()


@pytest.fixture
async def open_proxy(tmp_path: Path) -> AsyncIterator[Open]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxies = []

    async def open_with(
        *hosts: str, policy: EgressPolicy = POLICY, limits: ProxyLimits | None = None
    ) -> ProxyHarness:
        patterns = tuple(parse_host_pattern(host) for host in hosts)

        def record(entry: EgressRecord) -> None:
            harness.records.append(entry)
            harness.recorded.set()

        proxy = EgressProxy(policy, patterns, record, limits)
        harness = ProxyHarness(tmp_path / "egress.sock", proxy, port)
        await proxy.start(harness.path)
        proxies.append(proxy)
        return harness

    yield open_with
    for proxy in proxies:
        await proxy.close()
    server.close()


class TestAllowed:
    async def test_tunnel(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test")

        answer = await harness.send(
            f"CONNECT allowed.test:{harness.port} HTTP/1.1\r\n\r\n".encode() + b"hello"
        )

        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\nhello"
        record = await harness.last_record()
        assert record == replace(
            record, host="allowed.test", port=harness.port, refusal=None, sent=5, received=5
        )

    async def test_plain_request_is_rewritten(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test")

        answer = await harness.send(
            f"POST http://allowed.test:{harness.port}/a?b=1 HTTP/1.1\r\nHost: other.test\r\n"
            "Proxy-Authorization: Basic c2VjcmV0\r\nConnection: keep-alive\r\nAccept: */*\r\n folded\r\n"
            "Content-Length: 4\r\n\r\nbody".encode()
        )

        assert answer.decode() == (
            f"POST /a?b=1 HTTP/1.1\r\nHost: allowed.test:{harness.port}\r\nConnection: close\r\n"
            "Accept: */*\r\nContent-Length: 4\r\n\r\nbody"
        )

    async def test_close_ends_open_connections(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test")
        reader, writer = await harness.open()
        writer.write(f"CONNECT allowed.test:{harness.port} HTTP/1.1\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")

        await harness.proxy.close()

        assert await reader.read() == b""
        assert (await harness.last_record()).is_allowed
        writer.close()

    async def test_idle_connection_ends(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test", limits=ProxyLimits(idle=0.05))
        reader, writer = await harness.open()
        writer.write(f"CONNECT allowed.test:{harness.port} HTTP/1.1\r\n\r\n".encode())

        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()

    async def test_large_transfer_is_counted(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test")
        data = b"x" * 5_000_000

        await harness.send(f"CONNECT allowed.test:{harness.port} HTTP/1.1\r\n\r\n".encode() + data)

        record = await harness.last_record()
        assert (record.sent, record.received) == (len(data), len(data))


class TestRefused:
    @pytest.mark.parametrize(
        ("hosts", "target", "refusal"),
        [
            ((), "allowed.test:443", Refusal.HOST_NOT_ALLOWED),
            (("allowed.test:443",), "allowed.test:22", Refusal.HOST_NOT_ALLOWED),
            (("*.allowed.test",), "allowed.test:443", Refusal.HOST_NOT_ALLOWED),
            (("allowed.test",), "127.0.0.1:443", Refusal.HOST_NOT_ALLOWED),
            (("metadata.test",), "metadata.test:80", Refusal.ADDRESS_REFUSED),
            (("169.254.169.254",), "169.254.169.254:80", Refusal.ADDRESS_REFUSED),
            (("[::ffff:169.254.169.254]",), "[::ffff:169.254.169.254]:80", Refusal.ADDRESS_REFUSED),
            (("unknown.test",), "unknown.test:443", Refusal.HOST_UNRESOLVED),
            (("allowed.test",), "allowed.test:1", Refusal.UNREACHABLE),
        ],
    )
    async def test_target(
        self, open_proxy: Open, hosts: tuple[str, ...], target: str, refusal: Refusal
    ) -> None:
        harness = await open_proxy(*hosts)

        answer = await harness.send(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())

        assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 502"))
        record = await harness.last_record()
        assert (record.refusal, record.sent, record.received) == (refusal, 0, 0)

    async def test_private_address(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test", policy=replace(POLICY, allow_private=False))

        answer = await harness.send(f"GET http://allowed.test:{harness.port}/ HTTP/1.1\r\n\r\n".encode())

        assert answer.startswith(b"HTTP/1.1 403")
        assert (await harness.last_record()).refusal is Refusal.ADDRESS_REFUSED

    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET https://allowed.test/ HTTP/1.1\r\n\r\n",
            b"CONNECT allowed.test HTTP/1.1\r\n\r\n",
            b"CONNECT user@allowed.test:443 HTTP/1.1\r\n\r\n",
            b"CONNECT 0x7f.1:443 HTTP/1.1\r\n\r\n",
            b"CONNECT metadata.google.internal:80 HTTP/1.1\r\n\r\n",
            b"GET http://user:secret@allowed.test/ HTTP/1.1\r\n\r\n",
            b"nonsense\r\n\r\n",
            b"GET http://allowed.test/ HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        ],
    )
    async def test_malformed_request(self, open_proxy: Open, head: bytes) -> None:
        harness = await open_proxy("allowed.test")

        assert (await harness.send(head)).startswith(b"HTTP/1.1 400")
        assert harness.records == []

    async def test_slow_header(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test", limits=ProxyLimits(header=0.05))
        reader, writer = await harness.open()
        writer.write(b"CONNECT allowed.test:443")

        assert await reader.read() == b""
        writer.close()

    async def test_too_many_connections(self, open_proxy: Open) -> None:
        harness = await open_proxy("allowed.test", limits=ProxyLimits(connections=1))
        reader, writer = await harness.open()
        writer.write(f"CONNECT allowed.test:{harness.port} HTTP/1.1\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")

        assert (await harness.send(b"CONNECT allowed.test:443 HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503")
        writer.close()


class TestParseRequest:
    @given(st.binary(max_size=200))
    def test_any_bytes_are_parsed_or_refused(self, data: bytes) -> None:
        try:
            request = parse_request(data + b"\r\n\r\n")
        except MalformedRequest:
            return
        assert request.host

    @given(st.sampled_from(["Host", "hOST", "Proxy-Connection", "Connection", "TE"]), st.text(max_size=20))
    def test_headers_for_the_proxy_are_removed(self, name: str, value: str) -> None:
        head = f"GET http://a.test/ HTTP/1.1\r\n{name}: {value}\r\n\r\n".encode("utf-8", "replace")

        request = parse_request(head)

        assert request.head.count(b"\r\nHost: a.test\r\n") == 1
        assert b"proxy" not in request.head.lower()
