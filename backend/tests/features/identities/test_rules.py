"""What claims mean: groups, roles, addresses, and the page to open next."""

from typing import Any

import pytest

from crewai_runner.core.issuer_settings import IssuerSettings
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.features.identities.rules import (
    clean_next_path,
    find_grants,
    needs_userinfo,
    read_groups,
    read_person,
)


def issuer(**more: Any) -> IssuerSettings:
    return IssuerSettings(id="x", name="X", issuer="https://id.example.org", client_id="c", **more)


class TestGroups:
    @pytest.mark.parametrize(
        ("claims", "name", "groups"),
        [
            ({"groups": ["a", "b"]}, "groups", ["a", "b"]),
            ({"hd": "example.org"}, "hd", ["example.org"]),
            ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ["a"]),
            ({"https://example.org/groups": ["a"]}, "https://example.org/groups", ["a"]),
            ({"groups": ["a", 1, None, {"name": "b"}, ""]}, "groups", ["a"]),
            ({"groups": None}, "groups", []),
            ({"realm_access": "text"}, "realm_access.roles", []),
            ({}, "groups", []),
        ],
    )
    def test_are_read_by_name_or_path(self, claims: dict[str, Any], name: str, groups: list[str]) -> None:
        assert read_groups(claims, name) == groups


class TestGrants:
    ROLES = (
        {"group": "a", "role": "editor"},
        {"group": "b", "role": "viewer"},
        {"group": "b", "role": "owner", "workspace": "ws_other"},
    )

    @pytest.mark.parametrize("groups", [["a", "b"], ["b", "a"]])
    def test_most_rights_win(self, groups: list[str]) -> None:
        grants = find_grants(issuer(roles=self.ROLES), groups)

        assert grants == {"ws_default": WorkspaceRole.EDITOR, "ws_other": WorkspaceRole.OWNER}

    def test_the_default_role_is_the_least(self) -> None:
        configured = issuer(roles=self.ROLES, default_role="operator")

        assert find_grants(configured, []) == {"ws_default": WorkspaceRole.OPERATOR}
        assert find_grants(configured, ["b"])["ws_default"] is WorkspaceRole.OPERATOR
        assert find_grants(configured, ["a"])["ws_default"] is WorkspaceRole.EDITOR

    def test_group_names_are_exact(self) -> None:
        assert find_grants(issuer(roles=self.ROLES), ["A", "a ", "ab"]) == {}


class TestPerson:
    @pytest.mark.parametrize("value", [True, "true", 1, "1"])
    def test_address_counts_if_it_is_verified(self, value: object) -> None:
        person = read_person(issuer(), {"sub": "1", "email": "A@Example.org", "email_verified": value})

        assert person is not None
        assert person.email == "a@example.org"

    def test_address_is_verified_by_another_claim(self) -> None:
        claims = {"sub": "1", "email": "a@example.org", "xms_edov": True}
        for configured, email in (
            (issuer(email_verified_claim="xms_edov"), "a@example.org"),
            (issuer(), None),
        ):
            person = read_person(configured, claims)
            assert person is not None
            assert person.email == email

    def test_addresses_can_be_ignored(self) -> None:
        claims = {"sub": "1", "email": "a@example.org", "email_verified": True}
        person = read_person(issuer(email_verified_claim=""), claims)

        assert person is not None
        assert (person.email, person.label) == (None, "1")

    def test_texts_are_made_storable(self) -> None:
        person = read_person(issuer(), {"sub": "1", "name": "A\x00n\ud800n\n", "sid": "x\x00"})

        assert person is not None
        assert (person.name, person.sid) == ("Ann", None)

    @pytest.mark.parametrize("subject", [None, "", 5, "x" * 256, "a\x00"])
    def test_without_a_subject_there_is_none(self, subject: object) -> None:
        assert read_person(issuer(), {"sub": subject}) is None


class TestUserinfo:
    @pytest.mark.parametrize(
        ("claims", "needed"),
        [
            ({"groups": [], "email": "a@example.org", "email_verified": False}, False),
            ({"email": "a@example.org", "email_verified": True}, True),
            ({"groups": []}, True),
        ],
    )
    def test_is_read_for_what_is_absent(self, claims: dict[str, Any], needed: bool) -> None:
        assert needs_userinfo(issuer(roles=TestGrants.ROLES), claims) is needed


class TestNextPath:
    @pytest.mark.parametrize("path", ["/", "/runs?q=a#b", "/runs/run_1"])
    def test_paths_of_the_dashboard_stay(self, path: str) -> None:
        assert clean_next_path(path) == path

    @pytest.mark.parametrize(
        "path", ["", "runs", "//x", "/\\x", "https://x", "/sign-in", "/a\nb", "/" + "x" * 500, "javascript:x"]
    )
    def test_others_become_the_first_page(self, path: str) -> None:
        assert clean_next_path(path) == "/"
