"""The setting MCP_STDIO_COMMANDS."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from crewai_runner.core.mcp_commands import find_command_name
from crewai_runner.core.settings import Settings

SECRET = "canary-of-a-command-0123"


def read(value: object) -> Settings:
    text = value if isinstance(value, str) else json.dumps(value)
    return Settings(_env_file=None, mcp_stdio_commands=text)  # type: ignore[arg-type]


class TestSetting:
    def test_empty(self) -> None:
        assert read("").mcp_stdio_commands == {}

    def test_both_forms(self) -> None:
        value = {"a": ["x", "--flag"], "b": {"command": ["y"], "folders": ["/srv/docs"]}}

        commands = read(value).mcp_stdio_commands

        assert commands["a"].command == ("x", "--flag")
        assert commands["b"].folders == ("/srv/docs",)

    def test_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MCP_STDIO_COMMANDS", '{"a": ["x"]}')

        assert Settings(_env_file=None).mcp_stdio_commands["a"].command == ("x",)

    @pytest.mark.parametrize(
        "value",
        [
            "not json",
            ["x"],
            {"A": ["x"]},
            {"a": []},
            {"a": "x --flag"},
            {"a": [""]},
            {"a": ["x\0y"]},
            {"a": {"command": ["x"], "shell": True}},
            {"a": {"command": ["x"], "folders": ["/"]}},
            {"a": {"command": ["x"], "folders": ["docs"]}},
            {"a": {"command": ["x"], "folders": ["/srv/../etc"]}},
            {"a": {"command": ["x"], "folders": ["/etc/ssl"]}},
            {"a": {"command": ["x"], "environment": {"A=B": "c"}}},
            {"a": {"command": ["x"], "environment": {"": "c"}}},
            {str(f"a{number}"): ["x"] for number in range(51)},
        ],
    )
    def test_what_is_refused(self, value: object) -> None:
        with pytest.raises(ValidationError):
            read(value)

    @pytest.mark.parametrize(
        "name",
        ["PATH", "LD_PRELOAD", "ld_library_path", "PYTHONPATH", "NODE_OPTIONS", "BASH_ENV", "ENV"],
    )
    def test_variables_that_load_other_code(self, name: str) -> None:
        with pytest.raises(ValidationError, match="must not be set") as error:
            read({"a": {"command": ["x"], "environment": {name: SECRET, "KEY": SECRET}}})

        assert SECRET not in str(error.value.errors(include_input=False))

    def test_environment_is_not_shown(self) -> None:
        settings = read({"a": {"command": ["x"], "environment": {"KEY": SECRET}}})

        assert SECRET not in repr(settings)


class TestFinding:
    @pytest.mark.parametrize(
        ("words", "name"),
        [
            (["x", "--flag"], "a"),
            (["x"], None),
            (["x", "--flag", "more"], None),
            (["x", "--FLAG"], None),
            (["x --flag"], None),
            ([["x", "--flag"]], None),
            ([], None),
        ],
    )
    def test_word_by_word(self, words: list[Any], name: str | None) -> None:
        assert find_command_name(read({"a": ["x", "--flag"]}).mcp_stdio_commands, words) == name
