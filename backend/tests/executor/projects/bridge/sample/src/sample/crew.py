"""A crew that runs with every supported version of crewai: two tasks, one tool, one review."""

from typing import ClassVar

from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task

try:
    from crewai.tools import tool
except ImportError:  # up to 0.80
    from langchain_core.tools import tool


@tool("lookup")
def lookup(subject: str) -> str:
    """Looks up a fact about a subject."""
    return f"FACT-42 about {subject}"


@CrewBase
class SampleCrew:
    agents_config: ClassVar[dict[str, object]] = {}
    tasks_config: ClassVar[dict[str, object]] = {}

    @agent
    def researcher(self) -> Agent:
        return Agent(
            role="Researcher", goal="Find facts", backstory="Careful.", tools=[lookup], allow_delegation=False
        )

    @agent
    def writer(self) -> Agent:
        return Agent(role="Writer", goal="Write notes", backstory="Brief.", allow_delegation=False)

    @task
    def research(self) -> Task:
        return Task(
            description="Research the topic {topic} with the tool.",
            expected_output="Facts",
            agent=self.researcher(),
        )

    @task
    def note(self) -> Task:
        return Task(
            description="Compose a note about {topic}.",
            expected_output="A note",
            agent=self.writer(),
            human_input=True,
            output_file="note.md",
        )

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential, verbose=True)
