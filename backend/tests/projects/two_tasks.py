"""A project of two tasks, for tests that stop or kill it during the second one."""

from tests.support.scripted_provider import Hold, Rule, Say

MAIN = b"""
from crewai import Agent, Crew, Task

clerk = Agent(role="Clerk", goal="Work", backstory="You are careful.")
first = Task(description="Count the boxes of {place}", expected_output="A number", agent=clerk)
second = Task(description="Order more for {place}", expected_output="An order", agent=clerk)


def run():
    return Crew(agents=[clerk], tasks=[first, second]).kickoff(inputs={"place": "the shop"})
"""
FIRST, SECOND = "Count the boxes of the shop", "Order more for the shop"
FINAL = "Thought: I now can give a great answer\nFinal Answer: "
RULES = (
    Rule(Hold("second", Say(f"{FINAL}Five boxes")), contains=SECOND),
    Rule(Say(f"{FINAL}Seven boxes"), contains=FIRST),
)
"""The model's answer in the second task waits for the gate "second"."""


def list_files(crewai: str) -> dict[str, bytes]:
    """Return the files of the project with a version of CrewAI."""
    return {"requirements.txt": f"crewai=={crewai}\n".encode(), "main.py": MAIN}
