from crewai import Agent, Crew, Task


def build():
    helper = Agent(role="Helper", goal="Help", backstory="You are kind.")
    reply = Task(description="Reply to {question}", expected_output="A reply", agent=helper)
    return Crew(agents=[helper], tasks=[reply])
