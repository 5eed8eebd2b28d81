from crewai import Agent, Crew, Process, Task
from crewai.project import CrewBase, agent, crew, task
from city_guide.tools.weather import WeatherTool

@CrewBase
class CityGuide:
    agents_config = "config/agents.yaml"
    tasks_config = "config/tasks.yaml"

    @agent
    def writer(self) -> Agent:
        return Agent(config=self.agents_config["writer"], tools=[WeatherTool()])

    @task
    def write(self) -> Task:
        return Task(config=self.tasks_config["write"])

    @crew
    def crew(self) -> Crew:
        return Crew(agents=self.agents, tasks=self.tasks, process=Process.sequential)
