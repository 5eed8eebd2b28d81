from crewai import Agent, Crew, Task


def build():
    pilot = Agent(role="Pilot", goal="Know the tides", backstory="You know the harbour.")
    return Crew(
        agents=[pilot], tasks=[Task(description="When is high tide?", expected_output="A time", agent=pilot)]
    )
