from crewai import Agent, Crew, Task


def answer_crew():
    clerk = Agent(role="Clerk", goal="Answer letters", backstory="You are polite.")
    answer = Task(description="Answer this letter: {letter}", expected_output="A letter", agent=clerk)
    return Crew(agents=[clerk], tasks=[answer])
