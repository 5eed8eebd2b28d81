from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task


@CrewBase
class Office:
    """A manager gives the tasks to two people."""

    agents_config = "config/agents.yaml"
    tasks_config = "config/tasks.yaml"

    @agent
    def planner(self) -> Agent:
        return Agent(config=self.agents_config["planner"])

    @agent
    def buyer(self) -> Agent:
        return Agent(config=self.agents_config["buyer"])

    @task
    def plan(self) -> Task:
        return Task(config=self.tasks_config["plan"])

    @task
    def buy(self) -> Task:
        return Task(config=self.tasks_config["buy"])

    @crew
    def crew(self) -> Crew:
        return Crew(
            agents=self.agents,
            tasks=self.tasks,
            process=Process.hierarchical,
            manager_llm="gpt-4o",
        )
