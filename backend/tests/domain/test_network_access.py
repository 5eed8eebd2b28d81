"""What a workflow's tools may contact, within the limit of its workspace."""

import pytest

from crewai_runner.domain.network_access import NetworkAccess, find_host_rule, narrower_access

ANY, LISTED, NONE = NetworkAccess.ANY, NetworkAccess.LISTED, NetworkAccess.NONE


class TestFindHostRule:
    @pytest.mark.parametrize(
        ("network", "hosts", "limit", "expected"),
        [
            (None, None, None, None),
            (ANY, None, None, None),
            (ANY, None, ANY, None),
            (None, ["a.example.com"], None, ("a.example.com",)),
            (ANY, ["a.example.com"], None, ("a.example.com",)),
            (LISTED, ["a.example.com"], None, ("a.example.com",)),
            (LISTED, None, None, ()),
            (NONE, None, None, ()),
            (NONE, ["a.example.com"], None, ()),
            (ANY, None, LISTED, ()),
            (None, ["a.example.com"], LISTED, ("a.example.com",)),
            (None, ["a.example.com"], NONE, ()),
            (NONE, ["a.example.com"], LISTED, ()),
        ],
    )
    def test_hosts(
        self,
        network: NetworkAccess | None,
        hosts: list[str] | None,
        limit: NetworkAccess | None,
        expected: tuple[str, ...] | None,
    ) -> None:
        assert find_host_rule(network, hosts, limit).hosts == expected

    def test_remedy_names_who_can_allow_it(self) -> None:
        assert "owner" in find_host_rule(None, ["a.example.com"], NONE).remedy
        assert "`network: none`" in find_host_rule(NONE, None).remedy
        assert "The workspace" in find_host_rule(ANY, None, LISTED).remedy
        assert find_host_rule(LISTED, ["a.example.com"]).remedy.startswith("To allow it, add it to")


class TestNarrowerAccess:
    def test_without_statement_there_is_no_limit(self) -> None:
        assert narrower_access(None, None) is None
        assert narrower_access(None, LISTED) is LISTED

    @pytest.mark.parametrize(("one", "other"), [(ANY, NONE), (NONE, ANY), (LISTED, NONE)])
    def test_none_is_the_narrowest(self, one: NetworkAccess, other: NetworkAccess) -> None:
        assert narrower_access(one, other) is NONE
