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


def test_the_two_files_become_one_document() -> None:
    text = from_crewai_files(AGENTS, TASKS, {"name": "news", "process": "sequential"})

    definition = definition_of(text)
    assert definition.name == "news"
    assert [agent.key for agent in definition.agents] == ["researcher", "reporter"]
    assert [task.key for task in definition.tasks] == ["research_task", "reporting_task"]
    assert definition.agents[0].role == "{topic} Senior Researcher"
    assert definition.tasks[0].description == "Research {topic}"


def test_names_stay_names() -> None:
    researcher = definition_of(from_crewai_files(AGENTS, TASKS)).agents[0]

    assert researcher.model is not None
    assert researcher.model.name == "my_llm"
    assert researcher.tools == ["search_tool"]


def test_what_a_document_cannot_say_is_left_out_and_listed() -> None:
    text = from_crewai_files(AGENTS, TASKS)

    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert [line.split(":")[0] for line in comments[1:]] == [
        "#   agents.reporter.step_callback",
        "#   agents.reporter.max_tokens",
        "#   tasks.reporting_task.callback",
    ]


@pytest.mark.parametrize("callback", ['"m.f"', '{"python": "m.f"}', '["m.f"]', '[{"python": "m.f"}]'])
@pytest.mark.parametrize("key", ["callback", "callbacks"])
def test_no_callback_of_a_json_project_is_left_out_in_silence(key: str, callback: str) -> None:
    crew = CREW.replace('"agent": "researcher",', f'"agent": "researcher", "{key}": {callback}')
    agent = AGENT.replace('"llm"', f'"{key}": {callback}, "llm"')
    files = {"crew.jsonc": crew, "agents/researcher.jsonc": agent, "agents/boss.json": AGENT}

    comments = [line for line in from_crewai_project(files).splitlines() if line.startswith("#")]

    listed = {line.split(":")[0].removeprefix("#   ") for line in comments}
    assert {f"tasks.t.{key}", f"agents.researcher.{key}", "before_kickoff_callbacks"} <= listed


@pytest.mark.parametrize("empty", ["{}", "[]", "null", "false"])
def test_a_callback_that_is_none_is_not_worth_a_word(empty: str) -> None:
    crew = CREW.replace('"agent": "researcher",', f'"agent": "researcher", "callback": {empty}')
    files = {"crew.jsonc": crew, "agents/researcher.jsonc": AGENT, "agents/boss.json": AGENT}

    assert "tasks.t.callback" not in from_crewai_project(files)


def test_of_a_path_only_the_file_name_stays() -> None:
    definition = definition_of(from_crewai_files(AGENTS, TASKS))

    assert definition.tasks[1].output_file == "report.md"


def test_what_the_texts_use_is_asked_for() -> None:
    definition = definition_of(from_crewai_files(AGENTS, TASKS, {"inputs": {"topic": "AI"}}))

    assert [(i.name, i.default) for i in definition.inputs] == [("topic", "AI"), ("current_year", None)]


def test_a_json_project_becomes_a_document() -> None:
    files = {"p/crew.jsonc": CREW, "p/agents/researcher.jsonc": AGENT, "p/agents/boss.json": AGENT}

    definition = definition_of(from_crewai_project(files))

    assert definition.name == "Latest // news"
    assert definition.process is ProcessKind.HIERARCHICAL
    assert definition.manager_agent == "boss"
    assert [(a.key, a.max_iter) for a in definition.agents] == [("researcher", 4), ("boss", 4)]
    assert definition.tasks[0].expected_output == 'a "list", really'


def test_a_classic_project_takes_its_name_from_pyproject() -> None:
    files = {
        "src/news/config/agents.yaml": AGENTS,
        "src/news/config/tasks.yaml": TASKS,
        "src/news/crew.py": "raise SystemExit",
        "pyproject.toml": '[project]\nname = "news"\n',
    }

    assert definition_of(from_crewai_project(files)).name == "news"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "neither"),
        ({"crew.py": "x"}, "neither"),
        ({"crew.json": "{"}, "crew.json cannot be read"),
        ({"crew.json": "[" * 100_000}, "crew.json cannot be read"),
        ({"crew.json": "[]"}, "not a JSON object"),
        ({"crew.json": '{"agents": ["../../etc/passwd"]}'}, "There is no agents/"),
        ({"agents.yaml": "a: [", "tasks.yaml": "b: 1"}, "agents.yaml cannot be read"),
        ({"agents.yaml": "- a", "tasks.yaml": "b: 1"}, "not a mapping"),
        ({"agents.yaml": "a: !!python/name:os.system x", "tasks.yaml": "b: 1"}, "agents.yaml cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_crew_is_said_to_be_none(files: dict[str, str], words: str) -> None:
    with pytest.raises(NotACrewProject, match=words):
        from_crewai_project(files)


def test_the_problems_of_a_file_have_their_place() -> None:
    with pytest.raises(NotACrewProject) as caught:
        from_crewai_files("a: {role: x\n", "b: 1")

    assert [(p.line, p.column, p.code) for p in caught.value.problems] == [(1, 4, "syntax")]


def test_a_missing_field_stays_a_problem_of_the_document() -> None:
    text = from_crewai_files("a: {role: r, goal: g}", "t: {description: d, expected_output: e, agent: a}")

    assert [p.code for p in parse(text).problems] == ["missing-field"]


def test_a_comment_never_breaks_out_of_its_line() -> None:
    crew = json.dumps({"agents": {"a": {"x\ny: 1\u2028z: 2": 1}}, "tasks": []})

    text = from_crewai_project({"crew.json": crew})

    assert [
        p.code for p in parse(text).problems if p.code in {"syntax", "control-character", "unknown-key"}
    ] == []


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text() | st.sampled_from(["agents", "tasks", "role", "llm", "name", "inputs", "output_json"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["agents", "tasks", "inputs", "name", "crew", "budget"]), JUNK))
@settings(deadline=None)
def test_any_crew_gives_a_document_or_a_reason(crew: dict[str, object]) -> None:
    try:
        text = from_crewai_project({"crew.json": json.dumps(crew)})
    except NotACrewProject:
        return

    assert "syntax" not in {problem.code for problem in parse(text).problems}
