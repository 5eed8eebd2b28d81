from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task


@CrewBase
class KitchenCrew:
    agents_config = "config\\agents.yaml".replace("\\", "/")
    tasks_config = "config/tasks.yaml"

    @agent
    def chef(self) -> Agent:
        return Agent(config=self.agents_config["chef"])

    @task
    def describe(self) -> Task:
        return Task(config=self.tasks_config["describe"])

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential)
