"""Arguments of tools, and the schemas of tools from outside."""

import time
from typing import Any

import pytest

from crewai_runner.domain.tool_arguments import ArgumentsInvalid, check_arguments, check_parameters

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer", "minimum": 1},
        "share": {"type": ["number", "null"]},
        "fast": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    },
    "required": ["text"],
}


class TestCheckArguments:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"text": "1"}, {"text": "1"}),
            ({"text": "x", "count": "3"}, {"text": "x", "count": 3}),
            ({"text": "x", "share": "0.5"}, {"text": "x", "share": 0.5}),
            ({"text": "x", "fast": "True"}, {"text": "x", "fast": True}),
            ({"text": "x", "count": None}, {"text": "x"}),
            ({"text": "x", "share": None}, {"text": "x", "share": None}),
            ({"text": "x", "other": 1}, {"text": "x"}),
        ],
    )
    def test_corrects_what_models_often_write(self, given: dict[str, Any], expected: dict[str, Any]) -> None:
        assert check_arguments(given, SCHEMA) == expected

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({}, "'text' is a required property. The arguments of this tool are: `text`, `count`"),
            ({"text": None}, "`text`: None is not of type 'string'"),
            ({"text": "x", "count": 0}, "`count`: 0 is less than the minimum of 1"),
            ({"text": "x", "count": "many"}, "`count`: 'many' is not of type 'integer'"),
            ({"text": "a\x00"}, "NUL"),
            ({"text": "x" * 300_000}, "longer than 200,000"),
        ],
    )
    def test_says_what_is_wrong(self, given: dict[str, Any], message: str) -> None:
        with pytest.raises(ArgumentsInvalid) as failure:
            check_arguments(given, SCHEMA)
        assert message in str(failure.value)
        assert len(str(failure.value)) < 1_000

    def test_unknown_arguments_are_refused_where_the_schema_says_so(self) -> None:
        with pytest.raises(ArgumentsInvalid, match="Additional properties"):
            check_arguments({"other": 1}, {"properties": {}, "additionalProperties": False})
        assert check_arguments({"other": 1}, {"type": "object"}) == {"other": 1}

    def test_patterns_need_linear_time(self) -> None:
        schema = {"properties": {"text": {"type": "string", "pattern": "^(a+)+$"}}}
        started = time.perf_counter()

        with pytest.raises(ArgumentsInvalid, match="does not match"):
            check_arguments({"text": "a" * 20_000 + "!"}, schema)

        assert time.perf_counter() - started < 2


class TestCheckParameters:
    def test_accepts_references_inside(self) -> None:
        schema = {"$defs": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x"}}}

        assert check_parameters(schema) is None

    @pytest.mark.parametrize(
        ("schema", "reason"),
        [
            ("text", "must describe an object"),
            ({"type": "string"}, "must describe an object"),
            ({"properties": {"a": {"$ref": "http://169.254.169.254/x"}}}, "refers to another document"),
            ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "refers to another document"),
            ({"patternProperties": {"^(a+)+$": {}}}, "patternProperties"),
            ({"description": "x" * 70_000}, "longer than"),
            (
                {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "allOf": [{"$ref": "#/$defs/a"}]},
                "itself",
            ),
        ],
    )
    def test_refuses(self, schema: object, reason: str) -> None:
        assert reason in str(check_parameters(schema))

    def test_refuses_a_schema_that_grows(self) -> None:
        definitions = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}

        assert check_parameters({"$defs": definitions, "properties": {"a": {"$ref": "#/$defs/d0"}}})
