"""Clients that apply the egress policy to every connection."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from crewai_runner.core.egress import (
    EgressPolicy,
    GuardedTransport,
    UrlRefused,
    guarded_blocking_client,
    guarded_client,
)

PUBLIC = "93.184.215.14"


def resolving_to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


STRICT = EgressPolicy(allow_private=False, resolve=resolving_to(PUBLIC))
LENIENT = EgressPolicy(allow_private=True, resolve=resolving_to(PUBLIC))


class SwitchingResolver:
    """Resolves to the next address at every call."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.calls = 0

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.calls += 1
        return [self.addresses.pop(0)] if len(self.addresses) > 1 else [self.addresses[0]]


@asynccontextmanager
async def web_server(respond: Callable[[str], bytes]) -> AsyncIterator[tuple[int, list[str]]]:
    """Run a loopback server; yields its port and the request heads it received."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        writer.write(respond(head))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


def ok(_head: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def redirect_to(location: str) -> Callable[[str], bytes]:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return lambda _head: answer.encode()


class TestGuardedClient:
    async def test_dns_rebinding_after_the_check_is_refused(self) -> None:
        async with web_server(ok) as (port, heads):
            resolver = SwitchingResolver(PUBLIC, "127.0.0.1")
            policy = EgressPolicy(allow_private=False, resolve=resolver)
            url = f"http://rebinding.example:{port}/"
            await policy.check_url(url)

            async with guarded_client(policy) as client:
                with pytest.raises(UrlRefused, match="private network"):
                    await client.get(url)

        assert resolver.calls == 2
        assert heads == []

    async def test_connects_to_the_checked_address(self) -> None:
        async with web_server(ok) as (port, heads):
            resolver = SwitchingResolver("127.0.0.1", "169.254.169.254")
            async with guarded_client(EgressPolicy(allow_private=True, resolve=resolver)) as client:
                response = await client.get(f"http://pinned.example:{port}/path")

        assert response.text == "ok"
        assert resolver.calls == 1, "a second look-up could have given another address"
        assert f"Host: pinned.example:{port}" in heads[0]

    async def test_tries_the_next_address(self) -> None:
        async with web_server(ok) as (port, _):
            policy = EgressPolicy(allow_private=True, resolve=resolving_to("127.0.0.2", "127.0.0.1"))
            async with guarded_client(policy) as client:
                assert (await client.get(f"http://two.example:{port}/")).text == "ok"

    @pytest.mark.parametrize(
        "location",
        [
            "http://169.254.169.254/latest/meta-data/",
            "http://[::ffff:169.254.169.254]/",
            "http://0/",
            "http://user:pass@example.com/",
        ],
    )
    async def test_redirects_to_forbidden_urls_are_refused(self, location: str) -> None:
        async with web_server(redirect_to(location)) as (port, heads):
            policy = EgressPolicy(allow_private=True, resolve=resolving_to(PUBLIC))
            async with guarded_client(policy, follow_redirects=True) as client:
                with pytest.raises(UrlRefused):
                    await client.get(f"http://127.0.0.1:{port}/")

        assert len(heads) == 1

    async def test_redirect_targets_are_resolved_and_checked(self) -> None:
        async with web_server(redirect_to("http://inner.example/")) as (port, _):
            policy = EgressPolicy(allow_private=True, resolve=resolving_to("169.254.169.254"))
            async with guarded_client(policy, follow_redirects=True) as client:
                with pytest.raises(UrlRefused, match=r"inner\.example"):
                    await client.get(f"http://127.0.0.1:{port}/")

    async def test_ignores_proxies_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with web_server(ok) as (proxy_port, proxied), web_server(ok) as (port, direct):
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy_port}")
            async with guarded_client(LENIENT) as client:
                await client.get(f"http://127.0.0.1:{port}/")

        assert (len(proxied), len(direct)) == (0, 1)

    @pytest.mark.parametrize("option", ["transport", "mounts", "proxy", "trust_env", "verify"])
    def test_rejects_options_that_bypass_the_policy(self, option: str) -> None:
        with pytest.raises(TypeError, match=option):
            guarded_client(LENIENT, **{option: None})
        with pytest.raises(TypeError, match=option):
            guarded_blocking_client(LENIENT, **{option: None})

    async def test_slow_name_resolution_is_a_connect_timeout(self) -> None:
        release = threading.Event()

        def slow(_host: str, _port: int) -> Sequence[str]:
            release.wait(30)
            return [PUBLIC]

        async with guarded_client(EgressPolicy(allow_private=False, resolve=slow), timeout=0.05) as client:
            try:
                with pytest.raises(httpx.ConnectTimeout):
                    await client.get("http://slow.example/")
            finally:
                release.set()

    async def test_tls_uses_the_host_name(self) -> None:
        names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            policy = EgressPolicy(allow_private=True, resolve=resolving_to("127.0.0.1"))
            async with guarded_client(policy) as client:
                with pytest.raises(httpx.ConnectError):  # the server has no certificate
                    await client.get(f"https://named.example:{port}/")

        assert names == ["named.example"]

    async def test_blocking_client_applies_the_same_policy(self) -> None:
        def fetch(url: str, policy: EgressPolicy) -> str:
            with guarded_blocking_client(policy, follow_redirects=True) as client:
                return client.get(url).text

        async with web_server(ok) as (port, _):
            policy = EgressPolicy(allow_private=True, resolve=resolving_to("127.0.0.1"))
            assert await asyncio.to_thread(fetch, f"http://pinned.example:{port}/", policy) == "ok"
            with pytest.raises(UrlRefused):
                await asyncio.to_thread(fetch, f"http://127.0.0.1:{port}/", STRICT)

        async with web_server(redirect_to("http://169.254.169.254/")) as (port, _):
            with pytest.raises(UrlRefused):
                await asyncio.to_thread(fetch, f"http://127.0.0.1:{port}/", LENIENT)

    async def test_unix_sockets_are_unreachable(self) -> None:
        transport = GuardedTransport(LENIENT)

        with pytest.raises(NotImplementedError):
            await transport._pool._network_backend.connect_unix_socket("/run/docker.sock")
