from crewai import Agent, Crew, Task


def run() -> str:
    teacher = Agent(role="Teacher", goal="Explain", backstory="You draw a lot.")
    lesson = Task(description="Explain {subject}", expected_output="A lesson", agent=teacher)
    return Crew(agents=[teacher], tasks=[lesson]).kickoff(inputs={"subject": "tides"}).raw


if __name__ == "__main__":
    print(run())
