import asyncio

from crewai import Agent, Crew, Task


def build(role):
    agent = Agent(role=role, goal="Answer", backstory="You are quick.")
    task = Task(description="Answer {question}", expected_output="An answer", agent=agent)
    return Crew(agents=[agent], tasks=[task], name=role)


async def main():
    question = {"question": "Why is the sky blue?"}
    first, second = await asyncio.gather(
        build("Physicist").kickoff_async(inputs=question), build("Poet").kickoff_async(inputs=question)
    )
    return f"{first.raw} / {second.raw}"


if __name__ == "__main__":
    print(asyncio.run(main()))
