from crewai import Agent, Crew, Task
from crewai_tools import SerperDevTool

analyst = Agent(role="Analyst", goal="Find figures", backstory="You count.", tools=[SerperDevTool()])


def run():
    task = Task(description="Find {figure}", expected_output="A number", agent=analyst)
    return Crew(agents=[analyst], tasks=[task]).kickoff({"figure": "inflation"})
