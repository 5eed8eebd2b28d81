from crewai import Agent, Crew, Task


def make_crew(llm="gpt-4o-mini"):
    gardener = Agent(role="Gardener", goal="Advise", backstory="You grow roses.", llm=llm)
    advice = Task(description="Advise on {plant}", expected_output="Three tips", agent=gardener)
    return Crew(agents=[gardener], tasks=[advice])
