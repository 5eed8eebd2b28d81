from typing import Any, Tuple

from crewai import Agent, Crew, Task
from crewai.tasks.task_output import TaskOutput


def has_total(result: TaskOutput) -> Tuple[bool, Any]:
    """Refuse the first answer, and every one without a total."""
    has_total.calls += 1
    if has_total.calls == 1 or "total" not in result.raw:
        return False, "The total is missing: add it."
    return True, result.raw


has_total.calls = 0
clerk = Agent(role="Clerk", goal="Write invoices", backstory="You check twice.", max_retry_limit=1)
invoice = Task(
    description="Write an invoice over {amount} euros",
    expected_output="JSON with a total",
    agent=clerk,
    guardrail=has_total,
    max_retries=2,
)


def main():
    crew = Crew(agents=[clerk], tasks=[invoice])
    crew.kickoff(inputs={"amount": 12.5})
    assert has_total.calls == 2, has_total.calls


if __name__ == "__main__":
    main()
