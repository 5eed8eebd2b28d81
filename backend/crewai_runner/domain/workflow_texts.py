"""The texts of a workflow in which inputs replace placeholders."""

import re

from crewai_runner.domain.field_types import INPUT_NAME

AGENT_TEXTS = ("role", "goal", "backstory")
TASK_TEXTS = ("description", "expected_output")
# What CrewAI replaces, and no more: `{x.__class__}`, `{0}` and `{{7*7}}` stay text.
_PLACEHOLDER = re.compile(r"\{(" + INPUT_NAME.pattern + r")\}")


def placeholder_names(text: str) -> list[str]:
    """Return the names between braces that CrewAI replaces, in order."""
    return _PLACEHOLDER.findall(text)
