from crewai import Agent, Crew, Task

reporter = Agent(role="Reporter", goal="Collect news", backstory="You ask many people.")
editor = Agent(role="Editor", goal="Write clear texts", backstory="You shorten everything.")


def make_crew():
    sport = Task(
        description="List sport news of {city}",
        expected_output="Three lines",
        agent=reporter,
        async_execution=True,
    )
    weather = Task(
        description="Describe the weather in {city}",
        expected_output="One line",
        agent=reporter,
        async_execution=True,
    )
    page = Task(
        description="Write the front page of {city}",
        expected_output="A page",
        agent=editor,
        context=[sport, weather],
        output_file="front_page.md",
    )
    return Crew(agents=[reporter, editor], tasks=[sport, weather, page], verbose=True)


if __name__ == "__main__":
    print(make_crew().kickoff(inputs={"city": "Porto"}))
