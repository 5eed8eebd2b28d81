"""Import of CrewAI projects."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewai_runner.domain.workflow import ProcessKind
from crewai_runner.domain.workflow_yaml.crewai_files import NotACrewProject
from crewai_runner.domain.workflow_yaml.crewai_import import (
    from_crewai_files,
    from_crewai_project,
)
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.imported_document import ImportedDocument
from crewai_runner.domain.workflow_yaml.omissions import LossKind
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


def convert_files(*arguments: Any) -> str:
    return from_crewai_files(*arguments).text


def convert_project(files: dict[str, str]) -> str:
    return from_crewai_project(files).documents[0].text


class TestFiles:
    def test_two_files_become_one_document(self) -> None:
        text = convert_files(AGENTS, TASKS, {"name": "news", "process": "sequential"})

        definition = definition_of(text)
        assert definition.name == "news"
        assert [agent.key for agent in definition.agents] == ["researcher", "reporter"]
        assert [task.key for task in definition.tasks] == ["research_task", "reporting_task"]
        assert definition.agents[0].role == "{topic} Senior Researcher"
        assert definition.tasks[0].description == "Research {topic}"

    def test_names_are_kept(self) -> None:
        researcher = definition_of(convert_files(AGENTS, TASKS)).agents[0]

        assert researcher.model is not None
        assert researcher.model.name == "my_llm"
        assert researcher.tools == ["search_tool"]

    def test_unsupported_keys_are_left_out_and_listed(self) -> None:
        text = convert_files(AGENTS, TASKS)

        comments = [line for line in text.splitlines() if line.startswith("#")]
        assert [line.split(":")[0] for line in comments[1:]] == [
            "#   agents.reporter.step_callback",
            "#   agents.reporter.max_tokens",
            "#   tasks.reporting_task.callback",
        ]

    def test_output_path_becomes_a_file_name(self) -> None:
        definition = definition_of(convert_files(AGENTS, TASKS))

        assert definition.tasks[1].output_file == "output/report.md"

    def test_placeholders_become_inputs(self) -> None:
        definition = definition_of(convert_files(AGENTS, TASKS, {"inputs": {"topic": "AI"}}))

        assert [(i.name, i.default) for i in definition.inputs] == [("topic", "AI"), ("current_year", None)]

    @pytest.mark.parametrize("key", ["role", "goal", "backstory", "description", "expected_output"])
    @pytest.mark.parametrize("value", [None, " ", []])
    def test_missing_text_is_completed_and_named(self, key: str, value: object) -> None:
        agent = {"role": "r", "goal": "g", "backstory": "b"}
        task = {"description": "d", "expected_output": "e", "agent": "report_writer"}
        bodies = [body | ({key: value} if key in body else {}) for body in (agent, task)]

        document = from_crewai_files(*(json.dumps({"report_writer": body}) for body in bodies))

        definition = definition_of(document.text)
        section, member = ("agents", definition.agents[0]) if key in agent else ("tasks", definition.tasks[0])
        [warning] = document.warnings
        assert warning.path == f"{section}.report_writer.{key}"
        assert (warning.kind, getattr(member, key) in warning.message) == (LossKind.CHANGED, True)
        if key in ("role", "description"):
            assert getattr(member, key) == "Report writer"

    def test_invalid_text_is_kept_as_a_problem(self) -> None:
        text = convert_files(f"a: {{role: {'r' * 5000}, goal: g, backstory: b}}", TASKS)

        assert "r" * 5000 in text
        assert "agents.a.role" in {p.path for p in parse(text).problems}


class TestProject:
    @pytest.mark.parametrize("callback", ['"m.f"', '{"python": "m.f"}', '["m.f"]', '[{"python": "m.f"}]'])
    @pytest.mark.parametrize("key", ["callback", "callbacks"])
    def test_omitted_callbacks_are_listed(self, key: str, callback: str) -> None:
        crew = CREW.replace('"agent": "researcher",', f'"agent": "researcher", "{key}": {callback}')
        agent = AGENT.replace('"llm"', f'"{key}": {callback}, "llm"')
        files = {"crew.jsonc": crew, "agents/researcher.jsonc": agent, "agents/boss.json": AGENT}

        comments = [line for line in convert_project(files).splitlines() if line.startswith("#")]

        listed = {line.split(":")[0].removeprefix("#   ") for line in comments}
        assert {f"tasks.t.{key}", f"agents.researcher.{key}", "before_kickoff_callbacks"} <= listed

    @pytest.mark.parametrize("empty", ["{}", "[]", "null", "false"])
    def test_empty_callback_is_not_listed(self, empty: str) -> None:
        crew = CREW.replace('"agent": "researcher",', f'"agent": "researcher", "callback": {empty}')
        files = {"crew.jsonc": crew, "agents/researcher.jsonc": AGENT, "agents/boss.json": AGENT}

        assert "tasks.t.callback" not in convert_project(files)

    def test_json_project(self) -> None:
        files = {"p/crew.jsonc": CREW, "p/agents/researcher.jsonc": AGENT, "p/agents/boss.json": AGENT}

        definition = definition_of(convert_project(files))

        assert definition.name == "Latest // news"
        assert definition.process is ProcessKind.HIERARCHICAL
        assert definition.manager_agent == "boss"
        assert [(a.key, a.max_iter) for a in definition.agents] == [("researcher", 4), ("boss", 4)]
        assert definition.tasks[0].expected_output == 'a "list", really'

    @pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
    def test_files_of_windows_editors(self, mark: str) -> None:
        texts = {"crew.jsonc": CREW, "agents/researcher.jsonc": AGENT, "agents/boss.json": AGENT}
        files = {path: mark + text.replace("\n", "\r\n") for path, text in texts.items()}

        assert [agent.key for agent in definition_of(convert_project(files)).agents] == ["researcher", "boss"]

    def test_yaml_project_takes_its_name_from_pyproject(self) -> None:
        files = {
            "src/news/config/agents.yaml": AGENTS,
            "src/news/config/tasks.yaml": TASKS,
            "src/news/crew.py": "raise SystemExit",
            "pyproject.toml": '[project]\nname = "news"\n',
        }

        assert definition_of(convert_project(files)).name == "news"

    def test_comments_stay_on_one_line(self) -> None:
        crew = json.dumps({"agents": {"a": {"x\ny: 1\u2028z: 2": 1}}, "tasks": []})

        text = convert_project({"crew.json": crew})

        assert [
            p.code for p in parse(text).problems if p.code in {"syntax", "control-character", "unknown-key"}
        ] == []

    @given(st.dictionaries(st.sampled_from(["agents", "tasks", "inputs", "name", "crew", "budget"]), JUNK))
    @settings(deadline=None)
    def test_any_crew_gives_a_document_or_an_error(self, crew: dict[str, object]) -> None:
        try:
            text = convert_project({"crew.json": json.dumps(crew)})
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
            convert_project(files)

    def test_problems_have_a_location(self) -> None:
        with pytest.raises(NotACrewProject) as caught:
            convert_files("a: {role: x\n", "b: 1")

        assert [(p.line, p.column, p.code) for p in caught.value.problems] == [(1, 4, "syntax")]


def agents_yaml(*names: str) -> str:
    return "".join(f"{name}: {{role: {name.title()}, goal: g, backstory: b}}\n" for name in names)


def tasks_yaml(**agents: str) -> str:
    return "".join(
        f"{name}: {{description: d, expected_output: e, agent: {agent}}}\n" for name, agent in agents.items()
    )


def pair(folder: str, agent: str) -> dict[str, str]:
    return {f"{folder}/agents.yaml": agents_yaml(agent), f"{folder}/tasks.yaml": tasks_yaml(t=agent)}


def losses(documents: list[ImportedDocument]) -> list[str]:
    return [warning.message for document in documents for warning in document.warnings]


def read_all(files: dict[str, str], registry: Registry | None = None) -> list[ImportedDocument]:
    """Return the documents of a project; the first one also has what belongs to none of the crews."""
    project = from_crewai_project(files, registry)
    project.documents[0].omissions.extend(project.omissions)
    return project.documents


class TestSeveralCrews:
    def test_every_crew_becomes_a_document(self) -> None:
        files = {
            "p/pyproject.toml": '[project]\nname = "town"\n',
            **pair("p/src/crews/fire/config", "ann"),
            **pair("p/src/crews/water/config", "bob"),
            "p/third/crew.jsonc": CREW,
            "p/third/agents/researcher.jsonc": AGENT,
            "p/third/agents/boss.json": AGENT,
        }

        documents = read_all(files)

        found = {document.source: definition_of(document.text) for document in documents}
        assert {source: definition.name for source, definition in found.items()} == {
            "p/third/crew.jsonc": "Latest // news",
            "p/src/crews/fire/config": "town fire",
            "p/src/crews/water/config": "town water",
        }
        assert [agent.key for agent in found["p/src/crews/water/config"].agents] == ["bob"]

    def test_unreadable_crew_is_a_warning(self) -> None:
        files = {**pair("a/config", "ann"), **pair("b/config", "bob"), "b/config/tasks.yaml": "t: ["}

        (document,) = read_all(files)

        assert definition_of(document.text).name == "a"
        assert any("`b/config` was not imported" in loss for loss in losses([document]))

    def test_incomplete_pair_is_a_warning(self) -> None:
        files = {**pair("a/config", "ann"), "b/config/agents.yaml": agents_yaml("bob")}

        assert any("b/config/agents.yaml" in loss for loss in losses(read_all(files)))

    def test_installed_packages_are_no_crews(self) -> None:
        files = {**pair("a/config", "ann"), **pair("a/.venv/lib/site-packages/x/config", "bob")}

        documents = read_all(files)

        assert [document.source for document in documents] == ["a/config"]
        assert losses(documents) == []


REGISTRY = Registry(tools=frozenset({"calculator"}))
TWO_AGENTS: dict[str, Any] = {
    "agents": ["clerk", "ghost"],
    "tasks": [
        {"name": "first", "description": "d", "expected_output": "e", "agent": "ghost"},
        {
            "name": "second",
            "description": "d",
            "expected_output": "e",
            "agent": "clerk",
            "context": ["first"],
        },
    ],
}
CLERK = {"role": "Clerk", "goal": "g", "backstory": "b"}


def json_project(crew: object, **agents: object) -> dict[str, str]:
    files = {f"agents/{name}.jsonc": json.dumps(agent) for name, agent in agents.items()}
    return {"crew.jsonc": json.dumps(crew), **files}


class TestOneInvalidItem:
    @pytest.mark.parametrize(
        ("tools", "kept", "lost"),
        [
            (["SerperDevTool"], [], ["SerperDevTool"]),
            (["calculator", "SerperDevTool"], ["calculator"], ["SerperDevTool"]),
            (["calculator", "custom:my_tool", "Nope"], ["calculator"], ["custom:my_tool", "Nope"]),
            (["Calculator"], ["calculator"], []),
        ],
    )
    def test_tools(self, tools: list[str], kept: list[str], lost: list[str]) -> None:
        crew = {"agents": ["clerk"], "tasks": [{**TWO_AGENTS["tasks"][1], "context": [], "tools": tools}]}
        documents = read_all(json_project(crew, clerk={**CLERK, "tools": tools}), REGISTRY)

        definition = parse(documents[0].text, REGISTRY).definition

        assert definition is not None
        assert definition.agents[0].tools == definition.tasks[0].tools == kept
        assert [sum(name in loss for loss in losses(documents)) for name in lost] == [2] * len(lost)

    @pytest.mark.parametrize("agent", [None, "{", "[]"])
    def test_agent_file(self, agent: str | None) -> None:
        files = json_project(TWO_AGENTS, clerk=CLERK, idle=CLERK)
        if agent is not None:
            files["agents/ghost.jsonc"] = agent

        documents = read_all(files)

        definition = definition_of(documents[0].text)
        assert [(task.key, task.context) for task in definition.tasks] == [("second", [])]
        named = ["agents.ghost", "tasks.first", "tasks.second.context", "agents/idle.jsonc"]
        assert all(any(f"`{path}`" in loss for loss in losses(documents)) for path in named)

    def test_members_that_are_no_mappings_or_have_the_same_name(self) -> None:
        task = {**TWO_AGENTS["tasks"][1], "context": []}
        crew = {"agents": {"clerk": CLERK, "odd": "text"}, "tasks": [task, "x", task], "inputs": {"a b": 1}}

        documents = read_all(json_project(crew))

        assert [task.key for task in definition_of(documents[0].text).tasks] == ["second", "second_2"]
        paths = [omission.path for omission in documents[0].omissions]
        assert {"agents.odd", "tasks[1]", "tasks[2]", "inputs.a b"} <= set(paths)

    def test_input_values_keep_their_type(self) -> None:
        values = {
            "ages": [1, 2],
            "person": {"name": "Ann"},
            "n": 3,
            "typed": {"type": "number", "default": 1},
        }
        crew = {**TWO_AGENTS, "inputs": values}

        inputs = definition_of(read_all(json_project(crew, clerk=CLERK, ghost=CLERK))[0].text).inputs

        assert [(given.name, given.type, given.default) for given in inputs] == [
            ("ages", "array", [1, 2]),
            ("person", "object", {"name": "Ann"}),
            ("n", "integer", 3),
            ("typed", "number", 1),
        ]


CODE = """\
from crewai import Agent, Crew, LLM, Process, Task
from crewai.project import CrewBase, agent, crew, task
from crewai_tools import SerperDevTool

fast = LLM(model="openai/gpt-4o", temperature=0.2, api_key=os.environ["KEY"])

@CrewBase
class Town:
    agents_config = "config/agents.yaml"

    @before_kickoff
    def prepare(self, inputs):
        return inputs

    @agent
    def researcher_agent(self) -> Agent:
        return Agent(config=self.agents_config["researcher"], llm=fast, tools=[SerperDevTool(), calculator],
                     max_iter=5, step_callback=self.log)

    @agent
    def writer(self) -> Agent:
        made = Agent(config=self.agents_config["writer"], allow_delegation=True)
        return made

    @task
    def write(self) -> Task:
        return Task(config=self.tasks_config["write"], agent=self.writer(), output_file="out/a.md")

    @task
    def research(self) -> Task:
        return Task(config=self.tasks_config["research"], context=[self.write()], output_pydantic=Report)

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential, max_rpm=9, memory=flag)
"""
CODE_FILES = {
    "town/config/agents.yaml": agents_yaml("researcher", "writer", "idle"),
    "town/config/tasks.yaml": "research: {description: d, expected_output: e, agent: researcher_agent}\n"
    "write: {description: d, expected_output: e}\n",
    "town/crew.py": CODE,
}


class TestCrewClass:
    def test_completes_the_yaml_files(self) -> None:
        (document,) = read_all(CODE_FILES, REGISTRY)

        definition = definition_of(document.text)
        researcher, writer = definition.agents
        assert (researcher.tools, researcher.max_iter) == (["calculator"], 5)
        assert researcher.model is not None
        assert (researcher.model.name, researcher.model.settings.temperature) == ("openai/gpt-4o", 0.2)
        assert writer.allow_delegation
        assert [(task.key, task.agent, task.context) for task in definition.tasks] == [
            ("write", "writer", None),
            ("research", "researcher", ["write"]),
        ]
        assert definition.tasks[0].output_file == "out/a.md"
        assert definition.max_rpm == 9

    def test_code_is_listed(self) -> None:
        (document,) = read_all(CODE_FILES, REGISTRY)

        assert {omission.path for omission in document.omissions} == {
            "town/crew.py:12",
            "agents.researcher.step_callback",
            "agents.researcher.llm.api_key",
            "agents.researcher.tools",
            "agents.idle",
            "tasks.research.output_pydantic",
            "crew.memory",
        }

    @pytest.mark.parametrize(
        "code",
        [
            "crewai = (",
            "crewai = " + "(" * 5000,
            "crewai\n" + "x" * 300_000,
            "import crewai\n"
            + "".join(f"a{n + 1} = [a{n}, a{n}]\n" for n in range(60))
            + CODE.replace("=flag", "=a60"),
        ],
        ids=["syntax", "nested", "long", "repeated names"],
    )
    def test_unreadable_code_is_a_warning(self, code: str) -> None:
        files = {**pair("town/config", "ann"), "town/crew.py": code}

        (document,) = read_all(files)

        assert document.omissions
