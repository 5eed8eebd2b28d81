from crewai import Agent, Crew, Task

steps = []


def note(step):
    steps.append(step)


def main():
    checker = Agent(role="Checker", goal="Check texts", backstory="You read twice.", step_callback=note)
    check = Task(description="Check {text}", expected_output="Yes or no", agent=checker, callback=note)
    crew = Crew(agents=[checker], tasks=[check], task_callback=note)
    crew.kickoff(inputs={"text": "first line\nsecond line"})


if __name__ == "__main__":
    main()
