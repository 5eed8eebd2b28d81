from crewai import Crew, Task

from .texts import DESCRIPTION


def build_crew(agent):
    return Crew(agents=[agent], tasks=[Task(description=DESCRIPTION, expected_output="A table", agent=agent)])
