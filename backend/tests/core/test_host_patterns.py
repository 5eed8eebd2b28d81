"""The hosts that a workflow's tools may contact, and the private hosts of an installation."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.core.host_patterns import parse_host_pattern, parse_private_hosts
from crewai_runner.core.url_validation import HostNotAllowed

PUBLIC = "93.184.215.14"


def policy(*allowed: str, addresses: Sequence[str] = (PUBLIC,), **settings: Any) -> EgressPolicy:
    patterns = tuple(map(parse_host_pattern, allowed))
    return EgressPolicy(False, resolve=lambda _host, _port: addresses, allowed_hosts=patterns, **settings)


def private_policy(*hosts: str, addresses: Sequence[str] = ()) -> EgressPolicy:
    return EgressPolicy(
        False, resolve=lambda _host, _port: addresses, private_hosts=parse_private_hosts(hosts)
    )


class TestAllowedHosts:
    @pytest.mark.parametrize(
        ("pattern", "url"),
        [
            ("api.example.com", "https://api.example.com/x"),
            ("api.example.com", "https://API.Example.COM./x"),
            ("API.example.com.", "http://api.example.com:8080/"),
            ("api.example.com:8443", "https://api.example.com:8443/"),
            ("api.example.com:80", "http://api.example.com/"),
            ("*.example.com", "https://a.b.example.com/"),
            ("*.example.com:443", "https://a.example.com/"),
            ("bücher.example", "https://BÜCHER.example/"),
            ("xn--bcher-kva.example", "https://bücher.example/"),
            ("bücher.example", "https://xn--bcher-kva.example/"),
            (PUBLIC, f"http://{PUBLIC}/"),
            ("2606:2800:21f::1", "http://[2606:2800:021F:0::1]/"),
            ("[2606:2800:21f::1]:8080", "http://[2606:2800:21f::1]:8080/"),
        ],
    )
    async def test_allowed(self, pattern: str, url: str) -> None:
        assert await policy(pattern).check_url(url)

    @pytest.mark.parametrize(
        ("pattern", "url"),
        [
            ("api.example.com", "https://example.com/"),
            ("api.example.com", "https://evil.api.example.com/"),
            ("api.example.com", "https://api.example.com.evil.example/"),
            ("api.example.com", "https://api.example.comevil/"),
            ("api.example.com", "https://api.example.com@evil.example/"),
            ("api.example.com", "https://evil.example\\@api.example.com/"),
            ("api.example.com", "https://evil.example#@api.example.com/"),
            ("api.example.com", "https://аpi.example.com/"),  # noqa: RUF001 - a Cyrillic letter
            ("api.example.com", f"http://{PUBLIC}/"),
            ("api.example.com:8443", "https://api.example.com/"),
            ("*.example.com", "https://example.com/"),
            ("*.example.com", "https://evilexample.com/"),
            ("*.example.com:443", "http://a.example.com/"),
            ("bücher.example", "https://bucher.example/"),
            (PUBLIC, f"http://[::ffff:{PUBLIC}]/"),
        ],
    )
    async def test_refused(self, pattern: str, url: str) -> None:
        with pytest.raises(UrlRefused):
            await policy(pattern).check_url(url)

    async def test_refused_name_is_not_looked_up(self) -> None:
        def resolve(host: str, _port: int) -> Sequence[str]:
            raise AssertionError(host)

        refusing = EgressPolicy(False, resolve=resolve, allowed_hosts=())

        with pytest.raises(HostNotAllowed, match=r"secret\.evil\.example \(port 443\).*allowed_hosts"):
            await refusing.check_url("https://secret.evil.example/")
        with pytest.raises(HostNotAllowed):
            refusing.resolve_allowed_blocking("secret.evil.example", 443)

    @pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::ffff:10.0.0.1", "169.254.169.254"])
    async def test_private_address_of_an_allowed_host_is_refused(self, address: str) -> None:
        with pytest.raises(UrlRefused, match=r"private network|never contacted"):
            await policy("api.example.com", addresses=[PUBLIC, address]).check_url("https://api.example.com/")

    async def test_private_host_needs_both_lists(self) -> None:
        private = parse_private_hosts(["10.0.0.1"])

        allowed = policy("wiki.internal", addresses=["10.0.0.1"], private_hosts=private)
        assert await allowed.check_url("http://wiki.internal/")
        with pytest.raises(HostNotAllowed):
            await policy("other.example", private_hosts=private).check_url("http://10.0.0.1/")

    @pytest.mark.parametrize(
        "text",
        [
            "", "*", "*.", "*.com", "*.10.0.0.1", "a.*.example", "https://api.example.com", "a.example/path",
            "user@a.example", "a.example:0", "a.example:65536", "a.example:x", "a.example:", "a b.example",
            "2130706433", "0x7f.1", "metadata.google.internal", "a.example..", "{host}", "-a.example", "[::1",
            "a.example?x", "a%2eexample", "a.example\n",
        ],
    )  # fmt: skip
    def test_wrong_pattern(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            parse_host_pattern(text)


class TestPrivateHosts:
    @pytest.mark.parametrize(
        ("listed", "host"),
        [
            ("127.0.0.1", "127.0.0.1"),
            ("10.1.0.0/16", "10.1.200.3"),
            ("10.1.0.0/16", "::ffff:10.1.0.3"),
            ("fd12::/32", "fd12:0:1::1"),
            ("[fd12::1]", "fd12::1"),
            ("Wiki.Internal.", "wiki.internal"),
            ("bücher.internal", "xn--bcher-kva.internal"),
            ("192.168.0.0/16", "wiki.internal"),
        ],
    )
    async def test_allowed(self, listed: str, host: str) -> None:
        assert await private_policy(listed, addresses=["192.168.1.1"]).resolve_allowed(host, 80)

    @pytest.mark.parametrize(
        ("listed", "host", "addresses"),
        [
            ("127.0.0.1", "127.0.0.2", []),
            ("10.1.0.0/16", "10.2.0.1", []),
            ("10.1.0.0/16", "::ffff:10.2.0.1", []),
            ("fd12::/32", "fd13::1", []),
            # Networks that embed IPv4 addresses do not allow the private ones among them.
            ("::ffff:0:0/96", "::ffff:10.0.0.1", []),
            ("64:ff9b:1::/48", "64:ff9b:1::10.0.0.1", []),
            ("2002::/16", "2002:a00:1::1", []),
            # Other addresses, also when one of several is listed.
            ("10.1.0.0/16", "wiki.internal", ["10.1.0.1", "10.2.0.1"]),
            ("wiki.internal", "evil.example", ["10.0.0.1"]),
            # Never contacted, whatever is listed.
            ("169.254.0.0/16", "169.254.169.254", []),
            ("100.64.0.0/10", "100.100.100.200", []),
            ("wiki.internal", "wiki.internal", ["169.254.169.254"]),
        ],
    )
    async def test_refused(self, listed: str, host: str, addresses: list[str]) -> None:
        with pytest.raises(UrlRefused):
            await private_policy(listed, addresses=addresses).resolve_allowed(host, 80)
        with pytest.raises(UrlRefused):
            private_policy(listed, addresses=addresses).resolve_allowed_blocking(host, 80)

    @pytest.mark.parametrize(
        "text", ["0.0.0.0/0", "::/0", "10.0.0.0/33", "*.internal", "wiki.internal:80", "http://a/", "a/b"]
    )
    def test_wrong_entry(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"\w"):
            parse_private_hosts([text])

    async def test_changing_dns_answer(self) -> None:
        answers = iter([["10.1.0.1"], ["10.2.0.1"]])
        resolve: Callable[[str, int], Sequence[str]] = lambda _host, _port: next(answers)  # noqa: E731
        changing = EgressPolicy(False, resolve=resolve, private_hosts=parse_private_hosts(["10.1.0.0/16"]))

        assert await changing.resolve_allowed("wiki.internal", 80) == ("10.1.0.1",)
        with pytest.raises(UrlRefused, match=r"10\.2\.0\.1"):
            await changing.resolve_allowed("wiki.internal", 80)
