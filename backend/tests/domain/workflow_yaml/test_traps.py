"""Traps of YAML: what is cut, hidden or left as written is named."""

import pytest

from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse, parse_value
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

    @pytest.mark.parametrize("wrapper", ["", "crew:\n"])
    @pytest.mark.parametrize(
        "agents",
        [
            (
                "agents: {clerk: {role: '{topic} clerk', goal: g, backstory: b}, boss: {role: 'The {x}', "
                "goal: g, backstory: b}}"
            ),
            (
                "agents: [{name: clerk, role: '{topic} clerk', goal: g, backstory: b}, "
                "{boss: {role: 'The {x}', goal: g, backstory: b}}]"
            ),
        ],
    )
    def test_agent_by_role_with_placeholder(self, agents: str, wrapper: str) -> None:
        lines = [agents, "process: hierarchical", "manager_agent: ' The {x}'"]
        lines.append("tasks: {t: {description: d, expected_output: e, agent: '{topic} clerk '}}")
        body = "\n".join(f"  {line}" if wrapper else line for line in lines)

        parsed = parse(f"name: N\n{wrapper}{body}\n")

        assert parsed.definition is not None, parsed.problems
        assert (parsed.definition.tasks[0].agent, parsed.definition.manager_agent) == ("clerk", "boss")

    def test_unknown_role_with_placeholder(self) -> None:
        assert find("bad-name", agent="'{other} clerk'")


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


class TestListsWithoutNames:
    def test_agents_are_named_after_their_roles(self) -> None:
        parsed = parse("""\
name: Config
agents:
  - {role: Researcher, goal: g, backstory: b}
  - {role: "{topic} writer", goal: g, backstory: b}
  - {role: Researcher, goal: g, backstory: b}
tasks:
  - {description: d, expected_output: e, agent: Researcher}
  - {description: "{topic}", expected_output: e, agent: agent_2}
""")

        assert parsed.definition is not None
        assert [agent.key for agent in parsed.definition.agents] == ["Researcher", "agent_2", "agent_3"]
        assert [(task.key, task.agent) for task in parsed.definition.tasks] == [
            ("task_1", "Researcher"),
            ("task_2", "agent_2"),
        ]

    def test_generated_names_leave_given_ones_alone(self) -> None:
        parsed = parse("""\
name: Config
agents: [{name: agent_2, role: r, goal: g, backstory: b}, {role: "{x}", goal: g, backstory: b}]
tasks: [{task_2: {description: d, expected_output: e, agent: agent_2}}, {description: "{x}",
  expected_output: e, agent: agent_3}]
""")

        assert parsed.definition is not None
        assert [task.key for task in parsed.definition.tasks] == ["task_2", "task_3"]


class TestAcceptedAsInCrewAi:
    @pytest.mark.parametrize("style", [">", "|"])
    def test_line_break_of_a_folded_role_is_removed(self, style: str) -> None:
        text = CREW.format(goal="G", description="D", agent="clerk").replace(
            "role: Clerk", f"role: {style}\n      Clerk"
        )
        definition = parse(text).definition

        assert definition is not None
        assert definition.agents[0].role == "Clerk"

    def test_long_texts(self) -> None:
        assert find("text-too-long", goal="g " * 60_000, description="d " * 13_000) == []
        assert len(find("text-too-long", goal="g" * 200_001)) == 1

    def test_title_of_a_tool(self) -> None:
        registry = Registry(tools=frozenset({"http_get", "calculator"}))
        text = CREW.format(goal="G", description="D", agent="clerk")

        definition = parse(
            f"{text}    tools: [Fetch a document, calculator, Calculator]\n", registry
        ).definition

        assert definition is not None
        assert definition.tasks[0].tools == ["http_get", "calculator"]

    def test_names_in_every_script(self) -> None:
        text = CREW.format(goal="G", description="D", agent="文员 🖋")
        text = text.replace("clerk:", "文员 🖋:").replace("Clerk", "首席文员 🖋").replace("sort:", "مهمة:")
        definition = parse(text).definition

        assert definition is not None
        assert (definition.agents[0].key, definition.agents[0].role) == ("文员 🖋", "首席文员 🖋")
        assert [(task.key, task.agent) for task in definition.tasks] == [("مهمة", "文员 🖋")]

    @pytest.mark.parametrize("count", [200, 201])
    def test_number_of_tasks(self, count: int) -> None:
        agents = {f"a{n}": {"role": "r", "goal": "g", "backstory": "b"} for n in range(50)}
        task = {"description": "d", "expected_output": "e"}
        tasks = {f"t{n}": {**task, "agent": f"a{n % 50}"} for n in range(count)}

        parsed = parse_value({"name": "Big", "agents": agents, "tasks": tasks})

        messages = [problem.message for problem in parsed.problems]
        assert messages == ([] if count == 200 else ["At most 200 tasks are allowed."])


def test_several_agents_of_a_task() -> None:
    (problem,) = find("wrong-type", agent="[clerk, other]")

    assert problem.message == "`agent` must be the name of one agent, but this is a list."
