"""Serialisation of definitions."""

import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse, parse_value
from crewai_runner.domain.workflow_yaml.json_schema import json_schema
from crewai_runner.domain.workflow_yaml.serialisation import dump, to_list, to_mapping
from tests.domain.workflow_yaml.documents import LIST_FORMAT, MAPPING_FORMAT, definition_of
from tests.domain.workflow_yaml.strategies import definitions

ANY = Registry(mcp_servers=None)
VALIDATOR = Draft202012Validator(json_schema())
THOROUGH = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


class TestRoundTrip:
    @given(definitions())
    @THOROUGH
    def test_both_formats_keep_the_definition(self, definition: WorkflowDefinition) -> None:
        for document in (to_mapping(definition), to_list(definition)):
            parsed = parse(dump(document), ANY)

            assert parsed.problems == []
            assert parsed.definition == definition

    @given(definitions())
    @THOROUGH
    def test_documents_match_schema_and_parser(self, definition: WorkflowDefinition) -> None:
        for document in (to_mapping(definition), to_list(definition)):
            assert [error.message for error in VALIDATOR.iter_errors(document)] == []
            assert parse_value(document, ANY).definition == definition

    def test_pyyaml_reads_the_same_values(self) -> None:
        document = to_mapping(definition_of(MAPPING_FORMAT))

        assert yaml.safe_load(dump(document)) == document


class TestFormats:
    def test_mapping_format(self) -> None:
        document = to_mapping(definition_of(MAPPING_FORMAT))

        assert list(document)[:5] == ["name", "description", "inputs", "agents", "tasks"]
        assert list(document["agents"]) == ["researcher", "writer"]
        assert document["tasks"]["research"]["expected_output"] == "A list"
        assert document["agents"]["writer"]["llm"] == "gpt-4o"

    def test_list_format(self) -> None:
        document = to_list(definition_of(LIST_FORMAT))

        assert [agent["name"] for agent in document["agents"]] == ["researcher", "writer"]
        assert document["agents"][0]["model"] == "gpt-4o"
        assert document["tasks"][0]["asyncExecution"] is True
        assert document["managerModel"] == "gpt-4o"

    def test_defaults_are_omitted(self) -> None:
        agent = to_mapping(definition_of(LIST_FORMAT))["agents"]["writer"]

        assert agent == {"role": "Writer", "goal": "Write", "backstory": "A poet."}

    def test_multi_line_texts_are_blocks(self) -> None:
        definition = definition_of(MAPPING_FORMAT)
        definition.tasks[0].description = "First line\nsecond line\n"

        text = dump(to_mapping(definition))

        assert "    description: |\n      First line\n      second line\n" in text
