"""A crew that runs with every supported version of crewai: two tasks, one tool, one review."""

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
    agents_config = "config/agents.yaml"
    tasks_config = "config/tasks.yaml"

    @agent
    def researcher(self) -> Agent:
        return Agent(config=self.agents_config["researcher"], tools=[lookup], allow_delegation=False)

    @agent
    def writer(self) -> Agent:
        return Agent(config=self.agents_config["writer"], allow_delegation=False)

    @task
    def research(self) -> Task:
        return Task(config=self.tasks_config["research"])

    @task
    def note(self) -> Task:
        return Task(config=self.tasks_config["note"], human_input=True, output_file="note.md")

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential, verbose=True)
