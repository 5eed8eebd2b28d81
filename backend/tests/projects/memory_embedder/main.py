from crewai import Agent, Crew, Process, Task

host = Agent(role="Host", goal="Remember guests", backstory="You run a small hotel.", memory=True)
greet = Task(description="Greet {guest}", expected_output="A greeting", agent=host)
room = Task(description="Choose a room for {guest}", expected_output="A room", agent=host)


def run():
    crew = Crew(
        agents=[host],
        tasks=[greet, room],
        process=Process.sequential,
        memory=True,
        embedder={"provider": "openai", "config": {"model": "text-embedding-3-small"}},
    )
    return crew.kickoff(inputs={"guest": "Mrs Ito"})
