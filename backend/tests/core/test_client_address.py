"""The client's address behind trusted proxies."""

import pytest

from crewai_runner.core.client_address import find_client, get_limited_address, parse_networks

TRUSTED = parse_networks(["10.0.0.0/8", "fd00::/8", "192.0.2.5"])


class TestFindClient:
    @pytest.mark.parametrize(
        ("peer", "forwarded_for", "client"),
        [
            ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),
            ("127.0.0.1", ["1.1.1.1"], "127.0.0.1"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", [""], "10.0.0.1"),
            ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["203.0.113.9, 192.0.2.5, 10.9.9.9"], "203.0.113.9"),
            ("10.0.0.1", ["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
            ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
            ("fd00::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
            ("::ffff:10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", ["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", ["203.0.113.9, <script>, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", [",".join(["203.0.113.9"] + ["10.0.0.2"] * 100_000)], "10.0.0.2"),
            ("unknown", ["203.0.113.9"], "unknown"),
            ("", ["203.0.113.9"], "unknown"),
        ],
    )
    def test_reads_from_the_right_past_trusted_proxies_only(
        self, peer: str, forwarded_for: list[str], client: str
    ) -> None:
        assert find_client(peer, forwarded_for, TRUSTED) == client


class TestGetLimitedAddress:
    @pytest.mark.parametrize(
        ("client", "limited"),
        [
            ("203.0.113.9", "203.0.113.9"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("fe80::1%eth0", "fe80::/64"),
            ("unknown", "unknown"),
        ],
    )
    def test_counts_an_ipv6_network_as_one_client(self, client: str, limited: str) -> None:
        assert get_limited_address(client) == limited
