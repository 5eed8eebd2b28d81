"""The egress policy, with the known notations that could bypass it."""

import ipaddress
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.core.address_scope import AddressScope, IPAddress, classify_address
from crewai_runner.core.egress import (
    EgressPolicy,
    HostUnresolved,
    UrlRefused,
)
from crewai_runner.core.url_validation import parse_url

PUBLIC = "93.184.215.14"


def resolving_to(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


def fail_if_called(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"the resolver was asked for {host}:{port}")


STRICT = EgressPolicy(allow_private=False, resolve=resolving_to(PUBLIC))
LENIENT = EgressPolicy(allow_private=True, resolve=resolving_to(PUBLIC))


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
