"""Traps of YAML: what is cut, hidden or left as written is named."""

import pytest

from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.problems import Problem

CREW = """\
name: Traps
agents:
  clerk:
    role: Clerk
    goal: {goal}
    backstory: B
tasks:
  sort:
    description: {description}
    expected_output: E
    agent: {agent}
"""


def find(code: str, **values: str) -> list[Problem]:
    parsed = parse(CREW.format(**{"goal": "G", "description": "D", "agent": "clerk"} | values))
    return [problem for problem in [*parsed.problems, *parsed.warnings] if problem.code == code]


class TestComments:
    @pytest.mark.parametrize(
        "values", [{"goal": "Write about C #"}, {"description": "Fix issue #42"}, {"agent": "clerk #2"}]
    )
    def test_text_that_ends_at_a_comment_is_a_warning(self, values: dict[str, str]) -> None:
        assert "` #` begins a comment" in find("cut-by-comment", **values)[0].message

    @pytest.mark.parametrize("values", [{"goal": "C#"}, {"goal": "'a # b'"}, {"agent": "clerk # the first"}])
    def test_other_texts_are_not(self, values: dict[str, str]) -> None:
        assert find("cut-by-comment", **values) == []


class TestNames:
    def test_folded_name_is_accepted_and_the_line_break_named(self) -> None:
        parsed = parse(CREW.format(goal="G", description="D", agent=">\n      clerk"))

        assert parsed.definition is not None
        assert parsed.definition.tasks[0].agent == "clerk"
        assert [problem.code for problem in parsed.warnings] == ["line-break"]

    @pytest.mark.parametrize(
        ("name", "hidden"),
        [
            ('"cl\\u200Berk"', "U+200B (zero width space)"),
            ('"cl\\u00A0erk"', "U+00A0 (no-break space)"),
            ('"clerk\\uFEFF"', "U+FEFF (zero width no-break space)"),
            ('"\\u202Eclerk"', "U+202E (right-to-left override)"),
            ('"cl\\nerk"', "a line break"),
        ],
    )
    def test_hidden_character_is_named(self, name: str, hidden: str) -> None:
        assert hidden in find("bad-name", agent=name)[0].message

    @pytest.mark.parametrize("name", ["👩‍🔬", "می‌خواهم", "首席"])
    def test_joiners_of_scripts_and_emoji_are_part_of_a_name(self, name: str) -> None:
        assert find("bad-name", agent=name) == []

    def test_agent_by_role(self) -> None:
        parsed = parse(CREW.format(goal="G", description="D", agent="Clerk"))

        assert parsed.definition is not None
        assert parsed.definition.tasks[0].agent == "clerk"


class TestPlaceholders:
    @pytest.mark.parametrize("text", ["{тема}", "{主题}", "{first name}", "{ topic }", "{my.topic}"])
    def test_unfilled_placeholder_is_a_warning(self, text: str) -> None:
        assert "stays as written" in find("unfilled-placeholder", goal=f"'About {text}'")[0].message

    @pytest.mark.parametrize("text", ["{topic}", '{"a": 1}', "{0}", "{x:.2f}", "{}"])
    def test_other_braces_are_not(self, text: str) -> None:
        assert find("unfilled-placeholder", goal=f"'About {text}'") == []

    def test_placeholder_where_inputs_are_not_filled(self) -> None:
        assert find("unfilled-placeholder", agent="clerk\n    guardrail: About {topic}")


class TestReservedStarts:
    @pytest.mark.parametrize("text", ["{topic} is hot", "*important* text", "@home", "`code`", "%d", "> 90%"])
    def test_says_to_use_quotes(self, text: str) -> None:
        parsed = parse(CREW.format(goal=text, description="D", agent="clerk"))

        assert any("quote" in problem.message for problem in parsed.problems), parsed.problems

    def test_placeholder_alone_is_a_mapping(self) -> None:
        assert '"{topic}"' in find("wrong-type", goal="{topic}")[0].message


def test_two_tasks_that_write_one_file() -> None:
    both = CREW.format(goal="G", description="D", agent="clerk\n    output_file: a/b.md") + (
        "  again: {description: D, expected_output: E, agent: clerk, output_file: ./a//b.md}\n"
    )

    assert [problem.code for problem in parse(both).warnings] == ["duplicate-file"]
