"""The egress policy and the known ways to bypass it."""

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core.address_scope import AddressScope, IPAddress, classify_address
from crewai_runner.core.egress import (
    EgressPolicy,
    GuardedTransport,
    HostUnresolved,
    UrlRefused,
    guarded_blocking_client,
    guarded_client,
)
from crewai_runner.core.url_validation import parse_url

PUBLIC = "93.184.215.14"


def resolving_to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


def fail_if_called(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"the resolver was asked for {host}:{port}")


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


FORBIDDEN_URLS = [
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254./",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[::169.254.169.254]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://0.0.0.0/",
    "http://0.0.0.0:8000/",
    "http://[::]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[ff02::1]/",
    "http://metadata.google.internal/",
    "http://METADATA.google.internal./",
    # Other notations of an address, which resolvers read differently.
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0/",
    "http://127.0.0.1.1/",
    "http://example.0x7f/",
    # Malformed URLs and other schemes.
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "//example.com/",
    "example.com/v1",
    "",
    "http://",
    "http:///v1",
    "http://user:pass@example.com/",
    "http://user@example.com/",
    "http://example.com:pass@127.0.0.1/",
    "http://example.com:99999/",
    "http://example.com:0/",
    "http://exa mple.com/",
    "http://127.0.0.1%2f@example.com/",
    "http://127%2e0.0.1/",
    "http://example.com\\@127.0.0.1/",
    "http://example.com\r\nHost: x/",
    "http://-x.example.com/",
    "http://example..com/",
    "http://①②⑦.⓪.⓪.①/",
    "http://" + "a" * 3000,
]

PRIVATE_URLS = [
    "http://127.0.0.1/",
    "http://127.0.0.1.:11434/",
    "http://127.8.9.10/",
    "http://[::1]:8080/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[64:ff9b:1::808:808]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:c0a8:101::1]/",
    "http://[2001:0:5db8:d70e::80ff:fffe]/",
    "http://[2606:4700::5efe:10.0.0.1]/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://198.18.0.1/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
    "http://127。0。0。1/",
    "http://127.0.0.1:80/",
]

PUBLIC_URLS = [
    "https://api.openai.com/v1",
    "http://EXAMPLE.com:8080/x?y=z",
    "https://example.com./",
    "https://bücher.example/",
    "http://8.8.8.8/",
    "http://[2606:4700:4700::1111]/",
    "http://[64:ff9b::8.8.8.8]/",
    "http://my_service.example.com/",
]


class TestClassifyAddress:
    @given(st.integers(0, 2**32 - 1))
    def test_ipv6_embedding_never_relaxes_the_scope(self, number: int) -> None:
        plain = ipaddress.IPv4Address(number)
        prefixes = {"::ffff:0:0": 0, "64:ff9b::": 0, "2002::": 80}
        wrapped = [
            ipaddress.IPv6Address(int(ipaddress.IPv6Address(p)) | number << s) for p, s in prefixes.items()
        ]

        assert all(classify_address(address) >= classify_address(plain) for address in wrapped)

    @given(st.ip_addresses())
    def test_public_addresses_are_global(self, address: IPAddress) -> None:
        if classify_address(address) is AddressScope.PUBLIC:
            mapped: IPAddress | None = getattr(address, "ipv4_mapped", None)
            assert (mapped or address).is_global


class TestCheckUrl:
    @pytest.mark.parametrize("policy", [STRICT, LENIENT], ids=["strict", "lenient"])
    @pytest.mark.parametrize("url", FORBIDDEN_URLS)
    async def test_forbidden_urls_are_refused_by_every_policy(self, url: str, policy: EgressPolicy) -> None:
        with pytest.raises(UrlRefused) as refusal:
            await policy.check_url(url)

        assert refusal.value.status == 422
        assert refusal.value.slug == "url-refused"

    @pytest.mark.parametrize("url", PRIVATE_URLS)
    async def test_private_addresses_need_the_setting(self, url: str) -> None:
        with pytest.raises(UrlRefused, match="private network"):
            await STRICT.check_url(url)

        assert (await LENIENT.check_url(url)).addresses

    @pytest.mark.parametrize("url", PUBLIC_URLS)
    async def test_public_urls_are_allowed_by_every_policy(self, url: str) -> None:
        assert (await STRICT.check_url(url)).addresses
        assert (await LENIENT.check_url(url)).addresses

    async def test_returns_the_resolved_target(self) -> None:
        target = await STRICT.check_url("https://Example.COM./v1")

        assert (target.scheme, target.host, target.port) == ("https", "example.com", 443)
        assert target.addresses == (PUBLIC,)

    async def test_resolves_international_names_as_ascii(self) -> None:
        resolved: list[str] = []

        def resolve(host: str, _port: int) -> Sequence[str]:
            resolved.append(host)
            return [PUBLIC]

        await EgressPolicy(allow_private=False, resolve=resolve).check_url("https://bücher.example/")

        assert resolved == ["xn--bcher-kva.example"]

    @pytest.mark.parametrize(
        "poison", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%eth0"]
    )
    async def test_one_forbidden_address_refuses_the_name(self, poison: str) -> None:
        policy = EgressPolicy(allow_private=False, resolve=resolving_to(PUBLIC, poison))

        with pytest.raises(UrlRefused):
            await policy.check_url("https://example.com/")

    async def test_metadata_addresses_are_refused_even_with_private_allowed(self) -> None:
        policy = EgressPolicy(allow_private=True, resolve=resolving_to("169.254.169.254"))

        with pytest.raises(UrlRefused, match="metadata"):
            await policy.check_url("http://innocent.example/")

    async def test_unknown_host_raises_host_unresolved(self) -> None:
        def unknown(_host: str, _port: int) -> Sequence[str]:
            raise OSError("Name or service not known")

        for resolve in (unknown, resolving_to()):
            with pytest.raises(HostUnresolved, match=r"nowhere\.example"):
                await EgressPolicy(allow_private=True, resolve=resolve).check_url("http://nowhere.example/")

    async def test_ip_literals_are_not_resolved(self) -> None:
        policy = EgressPolicy(allow_private=True, resolve=fail_if_called)

        assert (await policy.check_url("http://127.0.0.1:9/")).addresses == ("127.0.0.1",)

    @given(st.text(max_size=60))
    def test_any_text_is_accepted_or_refused(self, text: str) -> None:
        try:
            parse_url("http://" + text)
        except UrlRefused:
            return


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
