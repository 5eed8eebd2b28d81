"""Import of CrewAI projects."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain.workflow import ProcessKind
from crewai_runner.domain.workflow_yaml.crewai_import import (
    NotACrewProject,
    from_crewai_files,
    from_crewai_project,
)
from crewai_runner.domain.workflow_yaml.document import parse
from tests.domain.workflow_yaml.documents import definition_of

AGENTS = """\
researcher:
  role: >
    {topic} Senior Researcher
  goal: >
    Uncover developments in {topic}
  backstory: >
    You're a seasoned researcher.
  llm: my_llm
  tools: [search_tool]
reporter:
  role: Reporter
  goal: Report in {current_year}
  backstory: Meticulous.
  step_callback: my_callback
  max_tokens: 5
"""
TASKS = """\
research_task:
  description: >
    Research {topic}
  expected_output: >
    Ten bullets
  agent: researcher
reporting_task:
  description: Report
  expected_output: A report
  agent: reporter
  context: [research_task]
  output_file: output/report.md
  callback: my_callback
"""
CREW = """\
{
  // the crew
  "name": "Latest // news", /* a
  comment */
  "agents": ["researcher"],
  "tasks": [
    {"name": "t", "description": "Look at {topic}", "expected_output": "a \\"list\\", really",
      "agent": "researcher",},
  ],
  "process": "hierarchical",
  "manager_agent": "boss",
  "verbose": true,
  "planning": false,
  "before_kickoff_callbacks": [{"python": "my.callback"}],
  "inputs": {"topic": "AI"},
}
"""
AGENT = '{"role": "R", "goal": "G", "backstory": "B", "llm": "openai/gpt-4o", "settings": {"max_iter": 4}}'


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text() | st.sampled_from(["agents", "tasks", "role", "llm", "name", "inputs", "output_json"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


class TestFiles:
    def test_two_files_become_one_document(self) -> None:
        text = from_crewai_files(AGENTS, TASKS, {"name": "news", "process": "sequential"})

        definition = definition_of(text)
        assert definition.name == "news"
        assert [agent.key for agent in definition.agents] == ["researcher", "reporter"]
        assert [task.key for task in definition.tasks] == ["research_task", "reporting_task"]
        assert definition.agents[0].role == "{topic} Senior Researcher"
        assert definition.tasks[0].description == "Research {topic}"

    def test_names_are_kept(self) -> None:
        researcher = definition_of(from_crewai_files(AGENTS, TASKS)).agents[0]

        assert researcher.model is not None
        assert researcher.model.name == "my_llm"
        assert researcher.tools == ["search_tool"]

    def test_unsupported_keys_are_left_out_and_listed(self) -> None:
        text = from_crewai_files(AGENTS, TASKS)

        comments = [line for line in text.splitlines() if line.startswith("#")]
        assert [line.split(":")[0] for line in comments[1:]] == [
            "#   agents.reporter.step_callback",
            "#   agents.reporter.max_tokens",
            "#   tasks.reporting_task.callback",
        ]

    def test_output_path_becomes_a_file_name(self) -> None:
        definition = definition_of(from_crewai_files(AGENTS, TASKS))

        assert definition.tasks[1].output_file == "output/report.md"

    def test_placeholders_become_inputs(self) -> None:
        definition = definition_of(from_crewai_files(AGENTS, TASKS, {"inputs": {"topic": "AI"}}))

        assert [(i.name, i.default) for i in definition.inputs] == [("topic", "AI"), ("current_year", None)]

    def test_missing_field_is_a_problem_of_the_document(self) -> None:
        text = from_crewai_files("a: {role: r, goal: g}", "t: {description: d, expected_output: e, agent: a}")

        assert [p.code for p in parse(text).problems] == ["missing-field"]


class TestProject:
    @pytest.mark.parametrize("callback", ['"m.f"', '{"python": "m.f"}', '["m.f"]', '[{"python": "m.f"}]'])
    @pytest.mark.parametrize("key", ["callback", "callbacks"])
    def test_omitted_callbacks_are_listed(self, key: str, callback: str) -> None:
        crew = CREW.replace('"agent": "researcher",', f'"agent": "researcher", "{key}": {callback}')
        agent = AGENT.replace('"llm"', f'"{key}": {callback}, "llm"')
        files = {"crew.jsonc": crew, "agents/researcher.jsonc": agent, "agents/boss.json": AGENT}

        comments = [line for line in from_crewai_project(files).splitlines() if line.startswith("#")]

        listed = {line.split(":")[0].removeprefix("#   ") for line in comments}
        assert {f"tasks.t.{key}", f"agents.researcher.{key}", "before_kickoff_callbacks"} <= listed

    @pytest.mark.parametrize("empty", ["{}", "[]", "null", "false"])
    def test_empty_callback_is_not_listed(self, empty: str) -> None:
        crew = CREW.replace('"agent": "researcher",', f'"agent": "researcher", "callback": {empty}')
        files = {"crew.jsonc": crew, "agents/researcher.jsonc": AGENT, "agents/boss.json": AGENT}

        assert "tasks.t.callback" not in from_crewai_project(files)

    def test_json_project(self) -> None:
        files = {"p/crew.jsonc": CREW, "p/agents/researcher.jsonc": AGENT, "p/agents/boss.json": AGENT}

        definition = definition_of(from_crewai_project(files))

        assert definition.name == "Latest // news"
        assert definition.process is ProcessKind.HIERARCHICAL
        assert definition.manager_agent == "boss"
        assert [(a.key, a.max_iter) for a in definition.agents] == [("researcher", 4), ("boss", 4)]
        assert definition.tasks[0].expected_output == 'a "list", really'

    def test_yaml_project_takes_its_name_from_pyproject(self) -> None:
        files = {
            "src/news/config/agents.yaml": AGENTS,
            "src/news/config/tasks.yaml": TASKS,
            "src/news/crew.py": "raise SystemExit",
            "pyproject.toml": '[project]\nname = "news"\n',
        }

        assert definition_of(from_crewai_project(files)).name == "news"

    def test_comments_stay_on_one_line(self) -> None:
        crew = json.dumps({"agents": {"a": {"x\ny: 1\u2028z: 2": 1}}, "tasks": []})

        text = from_crewai_project({"crew.json": crew})

        assert [
            p.code for p in parse(text).problems if p.code in {"syntax", "control-character", "unknown-key"}
        ] == []

    @given(st.dictionaries(st.sampled_from(["agents", "tasks", "inputs", "name", "crew", "budget"]), JUNK))
    @settings(deadline=None)
    def test_any_crew_gives_a_document_or_an_error(self, crew: dict[str, object]) -> None:
        try:
            text = from_crewai_project({"crew.json": json.dumps(crew)})
        except NotACrewProject:
            return

        assert "syntax" not in {problem.code for problem in parse(text).problems}


class TestNotACrewProject:
    @pytest.mark.parametrize(
        ("files", "message"),
        [
            ({}, "neither"),
            ({"crew.py": "x"}, "neither"),
            ({"crew.json": "{"}, "crew.json cannot be read"),
            ({"crew.json": "[" * 100_000}, "crew.json cannot be read"),
            ({"crew.json": "[]"}, "not a JSON object"),
            ({"crew.json": '{"agents": ["../../etc/passwd"]}'}, "There is no agents/"),
            ({"agents.yaml": "a: [", "tasks.yaml": "b: 1"}, "agents.yaml cannot be read"),
            ({"agents.yaml": "- a", "tasks.yaml": "b: 1"}, "not a mapping"),
            ({"agents.yaml": "a: !!python/name:os.system x", "tasks.yaml": ""}, "agents.yaml cannot be read"),
        ],
    )  # fmt: skip
    def test_message(self, files: dict[str, str], message: str) -> None:
        with pytest.raises(NotACrewProject, match=message):
            from_crewai_project(files)

    def test_problems_have_a_location(self) -> None:
        with pytest.raises(NotACrewProject) as caught:
            from_crewai_files("a: {role: x\n", "b: 1")

        assert [(p.line, p.column, p.code) for p in caught.value.problems] == [(1, 4, "syntax")]
