from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task


@CrewBase
class FourModels:
    """Each task uses a model of another provider."""

    agents_config = "config/agents.yaml"
    tasks_config = "config/tasks.yaml"

    @agent
    def translator(self) -> Agent:
        return Agent(config=self.agents_config["translator"], verbose=True)

    @agent
    def critic(self) -> Agent:
        return Agent(config=self.agents_config["critic"], verbose=True)

    @agent
    def printer(self) -> Agent:
        return Agent(config=self.agents_config["printer"], verbose=True)

    @task
    def translate(self) -> Task:
        return Task(config=self.tasks_config["translate"])

    @task
    def criticize(self) -> Task:
        return Task(config=self.tasks_config["criticize"])

    @task
    def set_type(self) -> Task:
        return Task(config=self.tasks_config["set_type"], output_file="page.md")

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential, verbose=True)
