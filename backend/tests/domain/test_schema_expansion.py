"""The size of output schemas with their references in place."""

from typing import Any

import pytest

from crewai_runner.domain.schema_expansion import find_schema_excess
from crewai_runner.domain.workflow_yaml.document import parse_value
from tests.domain.workflow_yaml.documents import MINIMAL, definition_of

Schema = dict[str, Any]


def schema_with(section: str = "$defs", **definitions: Schema) -> Schema:
    first = next(iter(definitions))
    return {
        "type": "object",
        "properties": {"n": {"$ref": f"#/{section}/{first}"}},
        section: definitions,
    }


def doubling(levels: int, section: str = "$defs") -> Schema:
    """Return a schema whose definitions refer twice to the next one."""
    definitions = {
        f"D{n}": object_of(a={"$ref": f"#/{section}/D{n + 1}"}, b={"$ref": f"#/{section}/D{n + 1}"})
        for n in range(levels)
    }
    return schema_with(section, **definitions, **{f"D{levels}": object_of(x={"type": "string"})})


def object_of(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def connected(size: int) -> Schema:
    """Return a schema whose definitions refer to each other: the expansion is factorial."""
    names = [f"D{n}" for n in range(size)]
    return schema_with(**{name: object_of(**{n: {"$ref": f"#/$defs/{n}"} for n in names}) for name in names})


def listed(levels: int, keyword: str) -> Schema:
    definitions: dict[str, Schema] = {
        f"D{n}": {keyword: [{"$ref": f"#/$defs/D{n + 1}"}, {"$ref": f"#/$defs/D{n + 1}"}]}
        for n in range(levels)
    }
    return schema_with(**definitions, **{f"D{levels}": object_of(x={"type": "string"})})


class TestFindSchemaExcess:
    @pytest.mark.parametrize(
        "schema",
        [
            *(doubling(16), doubling(16, "definitions"), doubling(8), connected(12)),
            *(listed(16, keyword) for keyword in ("anyOf", "oneOf", "allOf")),
            schema_with(N={"$ref": "#/$defs/N"}),
            schema_with(N={"anyOf": [{"$ref": "#/$defs/N"}, {"type": "string"}]}),
            schema_with(N={"type": "array", "items": {"$ref": "#/$defs/N"}}),
            schema_with(N={"$ref": "#/$defs/M"}, M={"$ref": "#/$defs/N"}),
            schema_with(**{f"D{n}": object_of(a={"$ref": f"#/$defs/D{n + 1}"}) for n in range(40)}),
        ],
    )
    def test_excessive_schema_is_refused_wherever_it_is_read(self, schema: Schema) -> None:
        assert find_schema_excess(schema) is not None
        parsed = parse_value(document_with(schema))
        assert "bad-schema" in {problem.code for problem in parsed.problems}

    @pytest.mark.parametrize(
        "schema",
        [
            object_of(**{f"p{n}": {"type": "string"} for n in range(150)}),
            doubling(3),
            connected(2),
            schema_with(N=object_of(children={"type": "array", "items": {"$ref": "#/$defs/N"}})),
            schema_with(N=object_of(next={"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]})),
        ],
    )
    def test_ordinary_schema_is_accepted(self, schema: Schema) -> None:
        assert find_schema_excess(schema) is None
        assert parse_value(document_with(schema)).problems == []


class TestLimit:
    def test_of_the_expanded_size(self) -> None:
        """The schema, its type, its properties and two values for each of 298 properties: 599 values."""
        schema = object_of(**{f"p{n}": {"type": "string"} for n in range(298)})

        assert find_schema_excess(schema | {"title": "600th"}) is None
        assert find_schema_excess(schema | {"title": "600th", "description": "601st"}) is not None


class TestPatterns:
    @pytest.mark.parametrize("pattern", [r"(\pL{50}){50}", r"(?=a)", "(" * 300, "a" * 201])
    def test_pattern_that_cannot_be_searched_is_refused(self, pattern: str) -> None:
        schema = object_of(n={"type": "string", "pattern": pattern})

        assert [p.code for p in parse_value(document_with(schema)).problems] == ["bad-schema"]

    def test_number_of_patterns_is_bounded(self) -> None:
        schema = object_of(**{f"n{n}": {"type": "string", "pattern": f"a{n}"} for n in range(21)})

        assert "at most 20 patterns" in parse_value(document_with(schema)).problems[0].message


def document_with(schema: Schema) -> dict[str, Any]:
    definition = definition_of(MINIMAL)
    agent, task = definition.agents[0], definition.tasks[0]
    return {
        "name": "n",
        "agents": {agent.key: {"role": "r", "goal": "g", "backstory": "b"}},
        "tasks": {
            task.key: {"description": "d", "expected_output": "e", "agent": agent.key, "output_json": schema}
        },
    }
