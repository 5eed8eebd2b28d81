"""Parsing of valid documents."""

from decimal import Decimal

import pytest

from crewai_runner.domain.workflow import (
    InputType,
    OnWorkerLoss,
    ProcessKind,
)
from crewai_runner.domain.workflow_yaml.document import UNTITLED, parse, parse_value
from tests.domain.workflow_yaml.documents import (
    AGENTS,
    CREW_JSON,
    LIST_FORMAT,
    MAPPING_FORMAT,
    MINIMAL,
    TASKS,
    definition_of,
)


class TestFormats:
    def test_mapping_format(self) -> None:
        definition = definition_of(MAPPING_FORMAT)

        researcher, writer = definition.agents
        assert researcher.model is not None
        assert (researcher.model.name, researcher.model.settings.temperature) == ("openai/gpt-4o-mini", 0.2)
        assert researcher.model.settings.timeout_seconds == 30
        assert (researcher.planning, researcher.planning_max_attempts) == (True, 2)
        assert researcher.goal == "Find {count} facts.\n"
        assert writer.knowledge == ["We like short sentences."]
        assert writer.allow_delegation
        research, write = definition.tasks
        assert (research.guardrails, write.guardrails) == (["Only facts."], ["Short.", "True."])
        assert write.context == ["research"]
        assert write.output_json is not None
        assert write.output_json["properties"]["tags"]["items"] == {"$ref": "#/$defs/Tag"}
        assert definition.budget is not None
        assert definition.budget.max_cost == Decimal("0.5")
        assert [(i.name, i.type, i.default, i.required) for i in definition.inputs] == [
            ("topic", InputType.STRING, "cats", False),
            ("count", InputType.INTEGER, 3, False),
        ]

    def test_list_format(self) -> None:
        definition = definition_of(LIST_FORMAT)

        assert definition.process is ProcessKind.HIERARCHICAL
        assert definition.manager_model is not None
        assert definition.manager_model.name == "gpt-4o"
        assert [agent.key for agent in definition.agents] == ["researcher", "writer"]
        assert definition.agents[0].max_iter == 3
        assert [task.key for task in definition.tasks] == ["research", "write"]
        assert definition.tasks[0].async_execution
        assert definition.tasks[1].human_input
        assert definition.on_worker_loss is OnWorkerLoss.RESTART
        assert [(i.name, i.type, i.required) for i in definition.inputs] == [
            ("topic", InputType.TEXT, True),
            ("depth", InputType.STRING, True),
        ]

    def test_decoded_json(self) -> None:
        parsed = parse_value(CREW_JSON)

        assert parsed.problems == []
        assert parsed.definition is not None
        assert (parsed.definition.max_rpm, parsed.definition.cache) == (5, True)
        assert parsed.definition.agents[0].max_iter == 4


class TestParseValue:
    def test_problems_have_a_path_and_no_line(self) -> None:
        found = parse_value({"agents": {"a": {"role": 1}}, "tasks": []}).problems

        assert {(p.line, p.column) for p in found} == {(0, 0)}
        assert "agents.a.role" in {p.path for p in found}

    @pytest.mark.parametrize("value", [float("nan"), 2**70, "\x00", "\ud800", object(), b"x", {1: 2}])
    def test_rejects_unsupported_values(self, value: object) -> None:
        parsed = parse_value({"name": value})

        assert [p.code for p in parsed.problems] == ["not-a-document"]

    def test_rejects_recursive_values(self) -> None:
        deep: dict[str, object] = {}
        deep["a"] = deep

        assert [p.code for p in parse_value(deep).problems] == ["not-a-document"]


class TestDefaults:
    def test_missing_name(self) -> None:
        parsed = parse(AGENTS + TASKS)

        assert parsed.definition is not None
        assert parsed.definition.name == UNTITLED
        assert [w.code for w in parsed.warnings] == ["missing-name"]

    def test_undeclared_placeholder_becomes_an_input(self) -> None:
        parsed = parse(MINIMAL.replace("description: d", "description: 'about {topic} and {topic}'"))

        assert parsed.definition is not None
        assert [(i.name, i.required) for i in parsed.definition.inputs] == [("topic", True)]
        assert [w.code for w in parsed.warnings] == ["undeclared-input"]

    @pytest.mark.parametrize(
        "text",
        ["{x.__class__}", "{0}", "{{7*7}}", "{x!r}", "{ x }", "{}", '{"a": 1}', "{x:>10}", "{ä}", "${}"],
    )
    def test_other_braces_stay_text(self, text: str) -> None:
        definition = definition_of(MINIMAL.replace("description: d", f"description: '{text}'"))

        assert definition.inputs == []
        assert definition.tasks[0].description == text

    def test_null_means_omitted(self) -> None:
        text = MINIMAL.replace("agent: a", "agent: a, context: , tools: null, output_json: ~")

        assert definition_of(text) == definition_of(MINIMAL)

    def test_empty_context_differs_from_no_context(self) -> None:
        text = MINIMAL.replace("agent: a", "agent: a, context: []")

        assert definition_of(text).tasks[0].context == []
        assert definition_of(MINIMAL).tasks[0].context is None

    def test_input_type_follows_the_default(self) -> None:
        text = (
            'name: n\ninputs: {s: x, i: 3, f: 0.5, b: yes, t: "a\\nb", r: }\n'
            + AGENTS.replace("role: r", "role: '{s}{i}{f}{b}{t}{r}'")
            + TASKS
        )

        assert {i.name: (i.type, i.required) for i in definition_of(text).inputs} == {
            "s": (InputType.STRING, False),
            "i": (InputType.INTEGER, False),
            "f": (InputType.NUMBER, False),
            "b": (InputType.BOOLEAN, False),
            "t": (InputType.TEXT, False),
            "r": (InputType.STRING, True),
        }


class TestYaml:
    @pytest.mark.parametrize("word", ["yes", "on", "True", "true"])
    def test_true_in_yaml(self, word: str) -> None:
        assert definition_of(f"{MINIMAL}cache: {word}\n").cache is True

    def test_merge_keys(self) -> None:
        text = """\
name: n
agents:
  a: &base {role: r, goal: g, backstory: b, max_iter: 3, max_rpm: 7}
  b: {<<: *base, max_iter: 9}
tasks:
  t: {description: d, expected_output: e, agent: a}
  u: {description: d, expected_output: e, agent: b}
"""
        other = definition_of(text).agent("b")

        assert (other.role, other.max_iter, other.max_rpm) == ("r", 9, 7)

    def test_byte_order_mark(self) -> None:
        parsed = parse("\ufeffnme: x\n" + AGENTS + TASKS)

        assert [(p.line, p.column, p.code) for p in parsed.problems if p.code == "unknown-key"] == [
            (1, 2, "unknown-key")
        ]

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
    def test_line_breaks_are_those_of_editors(self, newline: str) -> None:
        text = f'description: "😀 a\u2028 b\x85 c"\n{MINIMAL}chache: true\n'

        parsed = parse(text.replace("\n", newline))

        assert [(p.line, p.column, p.suggestion) for p in parsed.problems] == [(7, 1, "cache")]
