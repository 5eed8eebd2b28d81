"""Reading the list of tools of a server that is not trusted."""

from typing import Any

import pytest

from crewai_runner.domain.mcp_server import split_tool_reference
from crewai_runner.domain.mcp_tools import MAX_TOOLS, McpTool, clean_text, read_tools


def tool(name: object = "add", **fields: Any) -> dict[str, Any]:
    return {"name": name, "description": "Adds.", "inputSchema": {"type": "object"}} | fields


def read(entry: object) -> McpTool:
    [found] = read_tools([entry])
    return found


class TestReadTools:
    def test_keeps_what_is_used(self) -> None:
        schema = {"type": "object", "properties": {"a": {"type": "number"}}}
        hints = {"readOnlyHint": True, "title": "x", "destructiveHint": "yes"}

        found = read(tool(inputSchema=schema, title="Add", annotations=hints))

        assert (found.name, found.title, found.description) == ("add", "Add", "Adds.")
        assert (found.input_schema, found.hints, found.problem) == (schema, {"readOnlyHint": True}, None)

    @pytest.mark.parametrize(
        "change",
        [
            {"description": "Adds. "},
            {"description": "Adds.\u200b"},
            {"title": "Add"},
            {"inputSchema": {"type": "object", "properties": {"a": {}}}},
            {"annotations": {"readOnlyHint": True}},
            {"outputSchema": {"type": "object"}},
        ],
    )
    def test_every_change_has_another_digest(self, change: dict[str, Any]) -> None:
        assert read(tool(**change)).digest != read(tool()).digest

    def test_order_of_members_does_not_matter(self) -> None:
        entry = tool()

        assert read(dict(reversed(entry.items()))).digest == read(entry).digest

    def test_one_unusable_tool_leaves_the_others(self) -> None:
        found = read_tools([tool("bad", inputSchema={"type": "array"}), tool("good"), 7, {}, {"name": 3}])

        assert [(one.name, one.problem is None) for one in found] == [("bad", False), ("good", True)]

    def test_duplicate_names_are_both_unusable(self) -> None:
        found = read_tools([tool("add"), tool("ADD", description="Other."), tool("sub")])

        assert {one.name: one.problem is None for one in found} == {"add": False, "ADD": False, "sub": True}

    @pytest.mark.parametrize("name", ["a b", "a\u202eb", "a\x00", "../x", "a/b", "x" * 129, "é"])
    def test_names(self, name: str) -> None:
        found = read(tool(name))

        assert found.problem is not None
        assert found.name.isprintable()

    @pytest.mark.parametrize(
        "schema",
        [
            None,
            "text",
            {"type": "string"},
            {"type": "object", "properties": 3},
            {"type": "object", "properties": {"a": {"$ref": "https://example.org/schema"}}},
            {"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}},
            {"type": "object", "properties": {"a": {"description": "x" * 70_000}}},
            {"type": "object", "patternProperties": {"(a+)+$": {}}},
        ],
    )
    def test_schemas(self, schema: object) -> None:
        assert read(tool(inputSchema=schema)).problem is not None

    def test_deep_schema(self) -> None:
        schema: dict[str, Any] = {}
        for _ in range(200):
            schema = {"type": "object", "properties": {"a": schema}}

        assert read(tool(inputSchema=schema)).problem is not None

    def test_long_description(self) -> None:
        assert read(tool(description="x" * 8001)).problem is not None

    def test_too_many(self) -> None:
        assert len(read_tools([tool(f"t{number}") for number in range(MAX_TOOLS + 5)])) == MAX_TOOLS


class TestCleanText:
    def test_removes_what_hides_or_reorders_text(self) -> None:
        hidden = "a\u202eb\u2066c\u200bd\U000e0041e\x1b[31mf\r\ng\th"

        assert clean_text(hidden, 100) == "abcde[31mf\ng\th"

    def test_limits_the_length(self) -> None:
        assert clean_text("x" * 1000, 10) == "x" * 10


class TestReferences:
    def test_split(self) -> None:
        assert split_tool_reference("mcp:github/search_issues") == ("github", "search_issues")

    @pytest.mark.parametrize(
        "name", ["calculator", "mcp:", "mcp:a", "mcp:/b", "mcp:a/b/c", "api:a/b", "mcp:A/b"]
    )
    def test_other_names(self, name: str) -> None:
        assert split_tool_reference(name) is None
