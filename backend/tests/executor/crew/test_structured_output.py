"""The JSON in a model's answer."""

import json

import pytest
from pydantic import BaseModel

from tests.executor.engine_modules import import_engine_module

pytestmark = pytest.mark.crew
module = import_engine_module("build.structured_output")
create_output_model = import_engine_module("compat.crew_internals").create_output_model


class Tea(BaseModel):
    title: str
    tags: list[str] = []


class TestParseOutput:
    @pytest.mark.parametrize(
        ("text", "tags"),
        [
            ('{"title": "Tea", "tags": ["a"]} That is all.', ["a"]),
            ('{"title": "Tea", "tags": ["a",],}', ["a"]),
            ('Here: {"title": "Tea", "tags": ["a,]", "b" , ] , } as asked', ["a,]", "b"]),
            ('First {"title": "Tea", "tags": ["draft"]}, then {"title": "Tea", "tags": ["a"]}', ["a"]),
            ('[{"title": "Tea", "tags": ["a"]}]', ["a"]),
            ('I fill {title} and [tags]: {"title": "Tea", "tags": ["a"]}', ["a"]),
            ('<think>{"title": "Tea", "tags": ["b"]}</think>{"title": "Tea", "tags": ["a"]}', ["a"]),
        ],
    )
    def test_returns_the_object(self, text: str, tags: list[str]) -> None:
        assert module.parse_output(text, Tea) == {"title": "Tea", "tags": tags}

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("I would rather not.", "begins with 'I would rather not.'"),
            ('{"title": "Tea", "tags": [a]}', "Expecting value after"),
            ('{"title": "Tea', "Unterminated string"),
            ("", "empty"),
            ('<think>{"title": "Tea"}</think>No.', "begins with 'No.'"),
            ('{"title": "Tea"}</think>No.', "begins with 'No.'"),
        ],
    )
    def test_says_what_it_found(self, text: str, problem: str) -> None:
        with pytest.raises(module.NoMatch, match=problem):
            module.parse_output(text, Tea)


SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "size": {
            "anyOf": [
                {"type": "object", "properties": {"cups": {"type": "integer"}}, "required": ["cups"]},
                {"type": "object", "properties": {"cans": {"type": "integer"}}, "required": ["cans"]},
            ]
        },
    },
}


class TestUnknownMembers:
    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ('{"title": "Tea", "note": 1}', "Tea"),
            ('{"title": "Tea", "parts": [{}, {"name": "leaf", "note": [{"title": 1}]}]}', "Tea"),
            ('{"title": "Tea"} {"title": "Note", "note": 1} {"note": 1}', "Tea"),
            ('{"title": "Tea", "note": 1} {"note": 1}', "Tea"),
            ('{"title": "Tea", "note": 1,}', "Tea"),
        ],
    )
    def test_are_left_out(self, text: str, title: str) -> None:
        found = module.parse_output(text, create_output_model(SCHEMA))

        assert found["title"] == title
        assert "note" not in json.dumps(found)

    @pytest.mark.parametrize(
        "text",
        [
            '{"title": 1, "note": 1}',
            '{"title": "Tea", "size": {"cups": 1, "note": 1}}',
            '{"note": 1}',
        ],
    )
    def test_nothing_else_is_changed(self, text: str) -> None:
        with pytest.raises(module.NoMatch, match="Extra inputs are not permitted"):
            module.parse_output(text, create_output_model(SCHEMA))
