"""Names of tools."""

import re

import pytest

from crewai_runner.domain.tool_names import is_external_tool, make_model_names


@pytest.mark.parametrize("name", ["mcp:github/search_issues", "api:weather/get_forecast", "mcp:a/B.c-d"])
def test_external(name: str) -> None:
    assert is_external_tool(name)


@pytest.mark.parametrize(
    "name",
    [
        "calculator",
        "mcp:",
        "mcp:a",
        "mcp:A/b",
        "mcp:a/b/c",
        "mcp:-a/b",
        "mcp:a/",
        "mcp:a/b c",
        "os:system",
        "mcp:a/b\n",
    ],
)
def test_not_external(name: str) -> None:
    assert not is_external_tool(name)


class TestModelNames:
    def test_built_in_tools_keep_their_names(self) -> None:
        names = make_model_names(["mcp:web/search", "web_search", "mcp:x/y"])

        assert names == {"web_search": "web_search", "mcp:web/search": "mcp_web_search", "mcp:x/y": "mcp_x_y"}

    def test_are_unique_and_valid(self) -> None:
        given = [
            "mcp:a-b/c",
            "mcp:a/b-c",
            "mcp:a/b_c",
            "mcp:a/" + "x" * 128,
            "mcp:a/" + "x" * 127,
            "mcp_a_b_c",
        ]

        names = make_model_names(given)

        assert names == make_model_names(reversed(given))
        assert len(set(names.values())) == len(given)
        assert names["mcp_a_b_c"] == "mcp_a_b_c"
        assert all(re.fullmatch(r"[a-z0-9_]{1,64}", name) for name in names.values())
