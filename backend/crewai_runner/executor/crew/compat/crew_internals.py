"""Private members of CrewAI's Crew and Task."""

from typing import Any

from crewai import Crew, Task, TaskOutput
from crewai.utilities.pydantic_schema_utils import create_model_from_schema

from crewai_runner.domain.run import TaskResult


def create_manager(crew: Crew) -> Any:
    """Create the manager of a hierarchical crew, which CrewAI creates only at kickoff, and return it."""
    crew._create_manager_agent()
    return crew.manager_agent


def get_memory(crew: Crew) -> Any:
    return crew._memory


def set_memory(crew: Crew, memory: Any) -> None:
    # Set both: CrewAI copies one to the other whenever it validates the crew.
    crew.memory = crew._memory = memory


def create_output(task: Task, result: TaskResult) -> TaskOutput:
    """Convert a stored result into the output of a task."""
    return TaskOutput(
        name=task.name or task.description,
        description=task.description,
        expected_output=task.expected_output,
        raw=result.raw,
        json_dict=result.json_output if isinstance(result.json_output, dict) else None,
        agent=result.agent or "",
        output_format=task._get_output_format(),
    )


def create_output_model(schema: dict[str, Any]) -> Any:
    """Create the pydantic class for a JSON schema."""
    return create_model_from_schema({"title": "Output", **schema})
