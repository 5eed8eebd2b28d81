"""The JSON Schema of documents."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from crewai_runner.domain.workflow_yaml.document import parse_value
from crewai_runner.domain.workflow_yaml.document_keys import AGENT_SECTION, CREW_SECTION, TASK_SECTION
from crewai_runner.domain.workflow_yaml.json_schema import json_schema
from tests.domain.workflow_yaml.documents import CREW_JSON, LIST_FORMAT, MAPPING_FORMAT, MINIMAL

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
MINIMAL_VALUE = yaml.safe_load(MINIMAL)


def _changed(**agent: object) -> dict[str, object]:
    return {**MINIMAL_VALUE, "agents": {"a": {**MINIMAL_VALUE["agents"]["a"], **agent}}}


def _values_of(key: str, value: object) -> list[object]:
    if isinstance(value, dict):
        return [v for k, inner in value.items() for v in ([inner] if k == key else _values_of(key, inner))]
    return [found for item in value for found in _values_of(key, item)] if isinstance(value, list) else []


class TestSchema:
    def test_is_valid_and_self_contained(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)

        assert all(ref.startswith("#/$defs/") for ref in _values_of("$ref", SCHEMA) if isinstance(ref, str))
        assert len(json.dumps(SCHEMA)) < 150_000

    def test_every_key_has_a_description(self) -> None:
        silent = [
            name
            for section in (SCHEMA, SCHEMA["$defs"]["agent"], SCHEMA["$defs"]["task"])
            for name, about in section["properties"].items()
            if not about.get("description") and "$ref" not in about
        ]

        assert silent == []
        assert {"allow_delegation", "allowDelegation", "llm", "model"} <= set(
            SCHEMA["$defs"]["agent"]["properties"]
        )
        assert {"expected_output", "expectedOutput"} <= set(SCHEMA["$defs"]["task"]["properties"])

    def test_every_key_has_a_title(self) -> None:
        untitled = [
            name
            for section in (SCHEMA["$defs"]["agent"], SCHEMA["$defs"]["namedTask"], SCHEMA["$defs"]["crew"])
            for name, about in section["properties"].items()
            if not about.get("title") and name not in {"settings", "crew", "workflow"}
        ]

        assert untitled == []
        assert SCHEMA["$defs"]["agent"]["properties"]["maxIter"]["title"] == "Max iterations"
        assert SCHEMA["$defs"]["agent"]["properties"]["llm"]["title"] == "Model"
        assert SCHEMA["$defs"]["task"]["properties"]["human_input"]["title"] == "Human input"

    def test_form_keys_and_references(self) -> None:
        agent, task = (SCHEMA["$defs"][name]["properties"] for name in ("agent", "task"))

        assert agent["role"]["x-form"] is True
        assert "x-form" not in agent["system_template"]
        assert agent["llm"]["x-reference"] == "model"
        assert [task[name]["x-reference"] for name in ("agent", "context", "tools")] == [
            "agent",
            "task",
            "tool",
        ]
        assert "calculator" in agent["tools"]["anyOf"][0]["items"]["examples"]

    def test_has_every_key_of_the_parser(self) -> None:
        for section, schema in (
            (CREW_SECTION, SCHEMA),
            (AGENT_SECTION, SCHEMA["$defs"]["agent"]),
            (TASK_SECTION, SCHEMA["$defs"]["task"]),
        ):
            assert set(section.by_name) <= set(schema["properties"])


class TestAgreementWithParser:
    @pytest.mark.parametrize(
        "document", [MAPPING_FORMAT, LIST_FORMAT, MINIMAL], ids=["mapping", "list", "minimal"]
    )
    def test_accepts_valid_documents(self, document: str) -> None:
        assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(document))] == []

    @pytest.mark.parametrize(
        "value",
        [
            CREW_JSON,
            _changed(llm={"model": "m", "temperature": 1}),
            _changed(llm=None, tools=None),
            {**MINIMAL_VALUE, "inputs": {"x": None, "y": 3, "z": {"type": "text"}}},
            {**MINIMAL_VALUE, "inputs": ["x", {"name": "y", "default": True}]},
            {**MINIMAL_VALUE, "budget": {"maxCost": "0.5"}},
            {**MINIMAL_VALUE, "agents": [{"a": MINIMAL_VALUE["agents"]["a"]}]},
        ],
    )
    def test_accepts_short_forms(self, value: object) -> None:
        assert [error.message for error in VALIDATOR.iter_errors(value)] == []
        assert parse_value(value).problems == []

    @pytest.mark.parametrize(
        "value",
        [
            {},
            [],
            {"agents": {}, "tasks": {}},
            {**MINIMAL_VALUE, "proces": "sequential"},
            {**MINIMAL_VALUE, "process": "parallel"},
            {**MINIMAL_VALUE, "planning": True},
            {**MINIMAL_VALUE, "budget": {"maxCost": 0}},
            {**MINIMAL_VALUE, "inputs": {"x y": 1}},
            {**MINIMAL_VALUE, "tasks": [{"description": "d", "agent": "a"}]},
            {**MINIMAL_VALUE, "tasks": {"t": {"description": "d", "agent": "a"}}},
            {
                **MINIMAL_VALUE,
                "tasks": {"t": {"description": "d", "expected_output": "e", "output_file": "/a/b"}},
            },
            _changed(role=5),
            _changed(role=None),
            _changed(max_iter=0),
            _changed(max_iter="5"),
            _changed(tools="search"),
            _changed(tools=["os:system"]),
            _changed(mcps=[{"command": "touch"}]),
            _changed(llm={"model": "m", "api_key": "k"}),
            _changed(step_callback="os.system"),
        ],
    )
    def test_rejects_invalid_documents(self, value: object) -> None:
        assert not VALIDATOR.is_valid(value)
        assert not parse_value(value).valid
