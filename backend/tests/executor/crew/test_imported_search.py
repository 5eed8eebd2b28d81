"""Crews that use search tools of CrewAI, imported and run: `web_search` takes the place of those tools."""

import asyncio
import json
import time
from typing import Any

import pytest

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.connection import ConnectionKind
from crewai_runner.domain.tools import TOOLS
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.domain.workflow_yaml.crewai_import import ProjectFiles, from_crewai_project
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.executor.crew.executor import CrewExecutor
from crewai_runner.executor.port import Completed
from crewai_runner.executor.tools.builtin import bind_builtin
from tests.executor.crew.harness import EngineHarness
from tests.support.scripted_provider import CallTools, Say
from tests.support.scripted_service import Reply, ScriptedService
from tests.support.search_services import ANSWERS, KEY, RESULTS, bind_search

pytestmark = pytest.mark.crew


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> CrewExecutor:
    """An engine whose connections and tools may use loopback addresses."""
    loopback = EgressPolicy(allow_private=True)
    executor = CrewExecutor(tmp_path_factory.mktemp("engine"), loopback, loopback)
    asyncio.run(executor.load())
    return executor


REGISTRY = Registry(tools=frozenset(TOOLS))
CLASS_CREW = {
    "news/config/agents.yaml": "reader: {role: Reader, goal: Find news, backstory: Curious.}\n",
    "news/config/tasks.yaml": "find: {description: Find news, expected_output: News, agent: reader}\n",
    "news/crew.py": """\
from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task
from crewai_tools import SerperDevTool

@CrewBase
class News:
    @agent
    def reader(self) -> Agent:
        return Agent(config=self.agents_config["reader"], tools=[SerperDevTool()])

    @task
    def find(self) -> Task:
        return Task(config=self.tasks_config["find"])

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential)
""",
}
SCRIPT_CREW = {
    "main.py": """\
from crewai import Agent, Crew, Task
from crewai_tools import SerperDevTool, WebsiteSearchTool

search = SerperDevTool(n_results=3)
scout = Agent(role="Scout", goal="Compare prices", backstory="Careful.", tools=[search])
compare = Task(description="Compare prices", expected_output="A table", agent=scout, tools=[search])
Crew(agents=[scout], tasks=[compare]).kickoff()
""",
}


def import_crew(files: dict[str, str]) -> WorkflowDefinition:
    project = from_crewai_project(ProjectFiles(files, list(files)), REGISTRY)
    [document] = project.documents
    assert any("`SerperDevTool` became the tool `web_search`" in one.reason for one in document.warnings)
    definition = parse(document.text, REGISTRY).definition
    assert definition is not None
    return definition


async def run(harness: EngineHarness, files: dict[str, str], service: ScriptedService) -> Any:
    binding = bind_search(ConnectionKind.SERPER, service.url)
    definition = import_crew(files)
    # The model of the original crew is not registered here.
    agents = [agent.model_copy(update={"model": None}) for agent in definition.agents]
    definition = definition.model_copy(update={"agents": agents})
    return await harness.run(definition, tools={"web_search": binding})


@pytest.mark.parametrize("files", [CLASS_CREW, SCRIPT_CREW], ids=["class", "script"])
async def test_runs_with_a_search_service(harness: EngineHarness, files: dict[str, str]) -> None:
    harness.provider.then(CallTools([("web_search", {"query": "tea"})]), Say("Tea is in the news."))
    with ScriptedService(Reply(ANSWERS[ConnectionKind.SERPER])) as service:
        recorder = await run(harness, files, service)

    assert isinstance(recorder.outcome, Completed)
    assert json.loads(recorder.one("tool.completed").data.output)["results"] == RESULTS
    assert service.calls[0].json == {"q": "tea", "num": 8}
    assert "About tea." in str(harness.provider.requests[1].last_message)
    assert KEY not in recorder.as_text()


async def test_finds_and_reads_a_page(harness: EngineHarness) -> None:
    files = {"main.py": SCRIPT_CREW["main.py"].replace("WebsiteSearchTool", "ScrapeWebsiteTool")}
    files["main.py"] = files["main.py"].replace(
        "tools=[search])\nCrew", "tools=[search, ScrapeWebsiteTool()])\nCrew"
    )
    page = f"<html><title>Prices</title><article><p>{'Tea costs three. ' * 20}</p></article></html>"
    with (
        ScriptedService(Reply(ANSWERS[ConnectionKind.SERPER])) as service,
        ScriptedService(Reply(page.encode(), content_type="text/html")) as site,
    ):
        harness.provider.then(
            CallTools([("web_search", {"query": "tea"})]),
            CallTools([("read_page", {"url": site.url})]),
            Say("Tea costs three."),
        )
        definition = import_crew(files)
        tools = {
            "web_search": bind_search(ConnectionKind.SERPER, service.url),
            "read_page": bind_builtin("read_page"),
        }
        recorder = await harness.run(definition, tools=tools)

    assert isinstance(recorder.outcome, Completed)
    assert definition.tasks[0].tools == ["web_search", "read_page"]
    assert "Tea costs three." in str(harness.provider.requests[2].last_message)


async def test_a_failed_search_is_made_once_and_explained_to_the_model(harness: EngineHarness) -> None:
    harness.provider.then(CallTools([("web_search", {"query": "tea"})]), Say("No news."))
    with ScriptedService(Reply({"message": f"wrong key {KEY}"}, 403)) as service:
        recorder = await run(harness, CLASS_CREW, service)

    assert isinstance(recorder.outcome, Completed)
    assert "rejected the credentials" in recorder.one("tool.failed").data.message
    assert "rejected the credentials" in str(harness.provider.requests[1].last_message)
    assert len(service.calls) == 1
    assert KEY not in recorder.as_text()


async def test_a_failed_call_written_as_text_is_made_once(harness: EngineHarness) -> None:
    action = 'Thought: search\nAction: web_search\nAction Input: {"query": "tea"}'
    harness.provider.then(Say(action), Say("Thought: I now know\nFinal Answer: No news."))
    with ScriptedService(Reply({"message": "broken"}, 500)) as service:
        definition = import_crew(CLASS_CREW)
        binding = bind_search(ConnectionKind.SERPER, service.url)
        model = harness.model(supports_tools=False)
        recorder = await harness.run(definition, tools={"web_search": binding}, models=[model])

    assert isinstance(recorder.outcome, Completed)
    assert len(service.calls) == 1


async def test_a_stop_cuts_the_search(harness: EngineHarness) -> None:
    harness.provider.then(CallTools([("web_search", {"query": "tea"})]))
    with ScriptedService(Reply(hangs=True)) as service:
        definition = import_crew(CLASS_CREW)
        binding = bind_search(ConnectionKind.SERPER, service.url)
        recorder, running = harness.start(harness.spec(definition, tools={"web_search": binding}))
        await asyncio.to_thread(service.wait_for_calls, 1)
        stopped_at = time.monotonic()
        recorder.control.stop()
        await asyncio.to_thread(service.wait_for_hang_ups, 1)
        assert time.monotonic() - stopped_at < 1
        outcome = await running

    assert outcome.abandoned == ()
