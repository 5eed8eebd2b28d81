"""Crews that are written in Python: what is read without running it, and what is named as lost."""

from typing import Any

import pytest

from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow import ProcessKind
from crewai_runner.domain.workflow_yaml.crewai_files import NotACrewProject
from crewai_runner.domain.workflow_yaml.crewai_import import (
    ImportedProject,
    ProjectFiles,
    from_crewai_project,
)
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.omissions import LossKind, Remedy
from tests.domain.workflow_yaml.documents import definition_of

REGISTRY = Registry(tools=frozenset(TOOLS))
SCRIPT = """\
from textwrap import dedent
from crewai import Agent, Crew, Process, Task
from crewai_tools import ScrapeWebsiteTool, SerperDevTool
from schemas import Report

search, scrape = SerperDevTool(), ScrapeWebsiteTool()
topic = input("Topic? ")

writer = Agent(role="Writer", goal="Write", backstory="Kind.", tools=[search, scrape], llm="openai/gpt-4o")
boss = Agent(role="Boss", goal="Lead", backstory="Calm.", step_callback=print)
draft = Task(description=dedent(f\"\"\"
    Draft about {topic}\"\"\"), expected_output="A draft", agent=writer, callback=print)
review = Task(description="Review", expected_output="Report", agent=writer, context=[draft],
              output_pydantic=Report, output_file="out/report.md")
spare = Task(description="Spare", expected_output="e", agent=writer)

crew = Crew(agents=[writer], tasks=[draft, review], process=Process.hierarchical, manager_agent=boss)
print(crew.kickoff(inputs={"tone": "dry"}))
"""
SCHEMAS = """\
from typing import Literal, Optional
from pydantic import BaseModel, Field, field_validator

class Source(BaseModel):
    url: str

class Report(BaseModel):
    \"\"\"A finished report.\"\"\"
    title: str = Field(..., description="The title", max_length=80)
    sources: list[Source]
    level: Literal["low", "high"] = "low"
    note: Optional[str] = None

    @field_validator("title")
    def check(cls, value):
        return value
"""


def convert(files: dict[str, str], *others: str) -> ImportedProject:
    return from_crewai_project(ProjectFiles(files, [*files, *others]), REGISTRY)


def found(project: ImportedProject) -> list[tuple[LossKind | None, str, int]]:
    warnings = [*project.documents[0].warnings, *project.warnings]
    return [(warning.kind, warning.file, warning.line) for warning in warnings]


class TestScript:
    project = convert({"p/main.py": SCRIPT, "p/schemas.py": SCHEMAS})

    def test_is_the_crew_that_the_code_builds(self) -> None:
        definition = definition_of(self.project.documents[0].text)

        assert definition.process is ProcessKind.HIERARCHICAL
        assert definition.manager_agent == "boss"
        assert [agent.key for agent in definition.agents] == ["writer", "boss"]
        assert definition.agents[0].tools == ["web_search", "read_page"]
        assert definition.agents[0].model is not None
        draft, review = definition.tasks
        assert (draft.key, draft.agent, draft.description) == ("draft", "writer", "\nDraft about {topic}")
        assert (review.context, review.output_file) == (["draft"], "out/report.md")

    def test_pydantic_class_becomes_a_json_schema(self) -> None:
        schema = definition_of(self.project.documents[0].text).tasks[1].output_json

        assert schema == {
            "type": "object",
            "properties": {
                "title": {"type": "string", "description": "The title", "maxLength": 80},
                "sources": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"url": {"type": "string"}},
                        "required": ["url"],
                    },
                },
                "level": {"enum": ["low", "high"]},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["title", "sources"],
            "description": "A finished report.",
        }

    @pytest.mark.parametrize(
        "loss",
        [
            (LossKind.CHANGED, "p/main.py", 9),
            (LossKind.CALLBACK, "p/main.py", 10),
            (LossKind.CHANGED, "p/main.py", 12),
            (LossKind.CALLBACK, "p/main.py", 12),
            (LossKind.OUTPUT_SCHEMA, "p/main.py", 14),
            (LossKind.TASK, "p/main.py", 15),
            (LossKind.CODE, "p/main.py", 18),
        ],
    )
    def test_each_loss_has_its_place(self, loss: tuple[LossKind, str, int]) -> None:
        assert loss in found(self.project)

    def test_a_tool_that_works_differently_says_so(self) -> None:
        script = SCRIPT.replace("ScrapeWebsiteTool", "WebsiteSearchTool")
        warnings = convert({"p/main.py": script, "p/schemas.py": SCHEMAS}).documents[0].warnings

        reasons = [warning.reason for warning in warnings]
        [reason] = [reason for reason in reasons if "WebsiteSearchTool" in reason]
        assert reason.startswith(
            "`WebsiteSearchTool` became the tool `read_page`. It returns the text of a page"
        )

    def test_each_loss_says_why_and_what_keeps_it(self) -> None:
        warnings = [*self.project.documents[0].warnings, *self.project.warnings]

        assert all(warning.reason and warning.remedy_text for warning in warnings)
        callback = next(warning for warning in warnings if warning.kind is LossKind.CALLBACK)
        assert callback.remedy is Remedy.RUN_AS_PROJECT
        assert callback.crew == "p/main.py:17"


FACTORY = """\
from crewai import Agent, Crew, Task

class Agents:
    def writer(self, tone):
        return Agent(role=f"A {tone} writer", goal="Write", backstory="b")

class Tasks:
    def write(self, agent, topic):
        return Task(description=f"Write about {topic}", expected_output="Text", agent=agent)

class Town:
    def __init__(self, topic):
        self.topic = topic

    def run(self):
        agents, tasks = Agents(), Tasks()
        dry, warm = agents.writer("dry"), agents.writer(tone="warm")
        jobs = []
        jobs.append(tasks.write(dry, self.topic))
        jobs.append(tasks.write(warm, "tea"))
        return Crew(agents=[dry, warm], tasks=jobs).kickoff()
"""
YAML_CLASS = """\
from crewai import Agent, Crew, Task
from crewai.project import CrewBase, agent, before_kickoff, crew, task
from crewai.tools import BaseTool
from crewai.flow.flow import Flow

class Lookup(BaseTool):
    def _run(self): ...

@CrewBase
class Poem:
    agents_config = "config/poets.yaml"

    @before_kickoff
    def prepare(self, inputs): ...

    @agent
    def poet(self) -> Agent:
        config = self.agents_config.get("poet")
        return Agent(config=fill(config), tools=[Lookup()])

    @task
    def rhyme(self) -> Task:
        return Task(config=self.tasks_config["rhyme"], agent=self.poet())

    @task
    def lost(self) -> Task:
        return Task(config=self.tasks_config["nowhere"])

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, verbose=True)

class Steps(Flow):
    def start(self): ...
"""
POEM_FILES = {
    "p/crews/poem/crew.py": YAML_CLASS,
    "p/crews/poem/config/poets.yaml": "poet: {role: Poet, goal: g, backstory: b}\n"
    "idle: {role: Idle, goal: g, backstory: b}\n",
    "p/crews/poem/config/tasks.yaml": "rhyme: {description: 'On {topic}', expected_output: e}\n",
}


class TestFactories:
    def test_functions_are_followed_with_their_arguments(self) -> None:
        definition = definition_of(convert({"main.py": FACTORY}).documents[0].text)

        assert {agent.key: agent.role for agent in definition.agents} == {
            "dry": "A dry writer",
            "warm": "A warm writer",
        }
        assert [(task.agent, task.description) for task in definition.tasks] == [
            ("dry", "Write about {topic}"),
            ("warm", "Write about tea"),
        ]


class TestYamlClass:
    project = convert({**POEM_FILES, "p/main.py": "Poem().crew().kickoff(inputs={'topic': 'AI'})"})

    def test_takes_the_named_yaml_files(self) -> None:
        definition = definition_of(self.project.documents[0].text)

        assert [agent.key for agent in definition.agents] == ["poet"]
        assert [(task.key, task.agent) for task in definition.tasks] == [("rhyme", "poet")]
        assert [(given.name, given.default) for given in definition.inputs] == [("topic", "AI")]

    @pytest.mark.parametrize(
        "loss",
        [
            (LossKind.CHANGED, "p/crews/poem/crew.py", 19),
            (LossKind.TOOL, "p/crews/poem/crew.py", 19),
            (LossKind.TASK, "p/crews/poem/crew.py", 27),
            (LossKind.TOOL, "p/crews/poem/crew.py", 6),
            (LossKind.HOOK, "p/crews/poem/crew.py", 14),
            (LossKind.FLOW, "p/crews/poem/crew.py", 33),
            (LossKind.AGENT, "p/crews/poem/config/poets.yaml", 2),
            (LossKind.CODE, "p/main.py", 1),
        ],
    )
    def test_each_loss_has_its_place(self, loss: tuple[LossKind, str, int]) -> None:
        assert loss in found(self.project)

    def test_several_crews_become_several_documents(self) -> None:
        project = convert({**POEM_FILES, "p/main.py": FACTORY})

        roles = [definition_of(document.text).agents[0].role for document in project.documents]
        assert sorted(roles) == ["A dry writer", "Poet"]


KNOWLEDGE = """\
from crewai import Agent, Crew, Task
facts = StringKnowledgeSource(content="Tea is hot.")
papers = TextFileKnowledgeSource(file_paths=["policy.txt"])
a = Agent(role="A", goal="g", backstory="b", knowledge_sources=[facts, papers, PDFKnowledgeSource("x.pdf")])
crew = Crew(agents=[a], tasks=[Task(description="d", expected_output="e", agent=a)])
table = read("data/prices.csv")
"""


class TestFiles:
    def test_knowledge_and_other_files(self) -> None:
        files = {"p/crew.py": KNOWLEDGE, "p/knowledge/policy.txt": "Be kind."}
        project = convert(files, "p/knowledge/rules.pdf", "p/data/prices.csv", "p/try.ipynb", "p/logo.png")

        (agent,) = definition_of(project.documents[0].text).agents
        assert agent.knowledge == ["Tea is hot.", "Be kind."]
        losses = {file: kind for kind, file, _ in found(project)}
        assert losses.pop("p/crew.py") in (LossKind.KNOWLEDGE, LossKind.CODE)
        assert losses == {
            "p/knowledge/rules.pdf": LossKind.KNOWLEDGE,
            "p/data/prices.csv": LossKind.FILE,
            "p/try.ipynb": LossKind.CODE,
        }

    @pytest.mark.parametrize(
        "code",
        [
            "class Invoice(Base):\n    number = Column(String)\n",
            "@dataclass\nclass Area:\n    name: str\n",
            "class AreaError(ValueError):\n    pass\n",
            'import os\nos.environ["OPENAI_MODEL_NAME"] = "gpt-4o"\n',
        ],
    )
    def test_file_without_functions_is_named(self, code: str) -> None:
        project = convert({"p/crew.py": KNOWLEDGE, "p/other.py": code})

        assert (LossKind.CODE, "p/other.py") in {(kind, file) for kind, file, _ in found(project)}

    def test_unread_file_is_named(self) -> None:
        unread = {"p/legacy.py": "It is neither UTF-8 nor UTF-16 text."}
        files = ProjectFiles({"p/crew.py": KNOWLEDGE}, ["p/crew.py", "p/legacy.py"], unread)

        project = from_crewai_project(files, REGISTRY)

        assert "p/legacy.py" in {warning.file for warning in project.warnings}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("guardrail=check", LossKind.GUARDRAIL),
        ("output_json=Unknown", LossKind.OUTPUT_SCHEMA),
        ("tools=make_tools()", LossKind.TOOL),
        ("context=[other]", LossKind.SETTING),
        ("**options", LossKind.SETTING),
        ("human_input=flag", LossKind.SETTING),
    ],
)
def test_arguments_that_are_code_are_named(change: str, kind: LossKind) -> None:
    code = KNOWLEDGE.replace("agent=a)", f"agent=a, {change})")

    project = convert({"crew.py": code})

    assert (kind, "crew.py", 5) in found(project)


def test_code_without_a_crew_that_can_be_read_says_why() -> None:
    code = "from crewai import Crew\nCrew(agents=make(), tasks=make())"

    with pytest.raises(NotACrewProject, match=r"crew\.py:2") as caught:
        convert({"crew.py": code})

    details: list[Any] = caught.value.problems
    assert details
