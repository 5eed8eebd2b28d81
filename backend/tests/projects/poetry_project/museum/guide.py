from crewai import Agent, Crew, Task

guide = Agent(role="Guide", goal="Explain paintings", backstory="You studied art.")


def main():
    tour = Task(description="Explain {painting}", expected_output="A paragraph", agent=guide)
    Crew(agents=[guide], tasks=[tour]).kickoff(inputs={"painting": "The Kiss"})
