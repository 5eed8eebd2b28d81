"""`{name}` in texts, and the inputs that fill it."""

import re
from collections.abc import Iterator

from crewai_runner.domain.workflow import InputDefinition
from crewai_runner.domain.workflow_yaml.drafts import Draft
from crewai_runner.domain.workflow_yaml.input_definitions import InputDraft
from crewai_runner.domain.workflow_yaml.names import INPUT_NAME
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, did_you_mean

AGENT_TEXTS = ("role", "goal", "backstory")
TASK_TEXTS = ("description", "expected_output")
# Exactly what CrewAI fills: `{x.__class__}`, `{0}` and `{{7*7}}` stay text.
_PLACEHOLDER = re.compile(r"\{(" + INPUT_NAME.pattern + r")\}")
_LONGEST = 64


def names_in(text: str) -> list[str]:
    """The names between braces that CrewAI would fill, in order."""
    return _PLACEHOLDER.findall(text)


def check_placeholders(
    agents: list[Draft],
    tasks: list[Draft],
    inputs: dict[str, InputDraft],
    declared: bool,
    problems: Problems,
) -> list[InputDefinition]:
    """Reports placeholders without input and inputs without use.

    A document without `inputs:` asks for what it uses: those inputs are returned, with a warning each.
    """
    implied: dict[str, InputDefinition] = {}
    used: set[str] = set()
    for name, place in _uses(agents, tasks):
        used.add(name)
        if name in inputs or name in implied:
            continue
        if len(name) > _LONGEST:
            problems.error(place, "bad-name", f"An input's name has at most {_LONGEST} characters.")
        elif declared:
            near = problems.nearest(name, inputs)
            message = f"`{{{name}}}` has no input.{did_you_mean(near)} Write it under `inputs:`."
            problems.error(place, "undeclared-input", message, near)
        else:
            message = (
                f"`{{{name}}}` is not declared: every run will be asked for it. Write it under `inputs:`."
            )
            problems.warn(place, "undeclared-input", message)
            implied[name] = InputDefinition(name=name)
    for name, draft in inputs.items():
        if name not in used:
            message = (
                f"No text contains `{{{name}}}`. Use it in a role, goal, backstory or task, or remove it."
            )
            problems.warn(draft.place, "unused-input", message)
    return list(implied.values())


def _uses(agents: list[Draft], tasks: list[Draft]) -> Iterator[tuple[str, Place]]:
    for drafts, attributes in ((agents, AGENT_TEXTS), (tasks, TASK_TEXTS)):
        for draft in drafts:
            for attribute in attributes:
                text = draft.get(attribute)
                for name in names_in(text) if isinstance(text, str) else []:
                    yield name, draft.found.place(attribute)
