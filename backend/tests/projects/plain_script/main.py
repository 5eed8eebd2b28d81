from crewai import Agent, Crew, Task

poet = Agent(role="Poet", goal="Write poems", backstory="You rhyme.")
poem = Task(description="Write a poem about {season}", expected_output="Four lines", agent=poet)
crew = Crew(agents=[poet], tasks=[poem])
print(crew.kickoff(inputs={"season": "autumn"}))
