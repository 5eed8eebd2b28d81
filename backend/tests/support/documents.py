"""A valid workflow document, with variations."""

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.features.workflows.crud.checked_document import CheckedDocument, check_document

BRIEF = """\
# What the morning needs.
name: Daily brief
agents:
  writer:
    role: Writer
    goal: Write a brief
    backstory: Knows the town
tasks:
  brief:
    description: Write about {topic}
    expected_output: Two sentences
    agent: writer
inputs:
  topic: {type: string, default: cats}
"""


def brief(name: str = "Daily brief", goal: str = "Write a brief") -> str:
    """A valid document with the given name and goal."""
    return BRIEF.replace("name: Daily brief", f"name: {name}").replace("goal: Write a brief", f"goal: {goal}")


def checked(text: str, mask: TextMask | None = None) -> CheckedDocument:
    return check_document(text, Registry(), mask or TextMask(()))
