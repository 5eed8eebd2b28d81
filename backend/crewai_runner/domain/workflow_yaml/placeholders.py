"""Placeholders in texts, and the inputs that replace them."""

import re
from collections.abc import Iterator

from crewai_runner.domain.field_types import INPUT_NAME
from crewai_runner.domain.workflow import InputDefinition, InputType
from crewai_runner.domain.workflow_texts import AGENT_TEXTS, TASK_TEXTS, placeholder_names
from crewai_runner.domain.workflow_yaml.input_definitions import DeclaredInput
from crewai_runner.domain.workflow_yaml.members import DocumentMember
from crewai_runner.domain.workflow_yaml.problems import Location, Problems, did_you_mean

_NAME = re.compile(INPUT_NAME.pattern)
MAX_NAME_LENGTH = 64
# What a person may mean as a placeholder, in any script; bounded, so that it takes linear time.
_LOOKS_LIKE_PLACEHOLDER = re.compile(r"\{ {0,4}([^\W\d_][\w .\-]{0,63})\}")
UNFILLED_TEXTS = ("guardrail", "guardrails", "knowledge")


def check_placeholders(
    agents: list[DocumentMember],
    tasks: list[DocumentMember],
    inputs: dict[str, DeclaredInput],
    declared: bool,
    problems: Problems,
) -> list[InputDefinition]:
    """Report placeholders without an input, and inputs without a placeholder.

    In a document without `inputs:`, every placeholder is an input: returns these, with a warning each.
    """
    implied: dict[str, InputDefinition] = {}
    used: set[str] = set()
    for name, location in _find_placeholders(agents, tasks):
        used.add(name)
        if name in inputs or name in implied:
            continue
        if len(name) > MAX_NAME_LENGTH:
            problems.error(location, "bad-name", f"An input's name has at most {MAX_NAME_LENGTH} characters.")
        elif declared:
            near = problems.nearest(name, inputs)
            message = f"`{{{name}}}` has no input.{did_you_mean(near)} Declare it under `inputs:`."
            problems.error(location, "undeclared-input", message, near)
        else:
            message = f"`{{{name}}}` is not declared: every run asks for it. Declare it under `inputs:`."
            problems.warn(location, "undeclared-input", message)
            implied[name] = InputDefinition(name=name, type=InputType.ANY)
    _check_unfilled(agents, tasks, problems)
    for name, declared_input in inputs.items():
        if name not in used:
            message = (
                f"No text contains `{{{name}}}`. Use it in a role, goal, backstory or task, or remove it."
            )
            problems.warn(declared_input.location, "unused-input", message)
    return list(implied.values())


def _check_unfilled(agents: list[DocumentMember], tasks: list[DocumentMember], problems: Problems) -> None:
    """Warn of braces that look like a placeholder and stay as written."""
    for members, filled in ((agents, AGENT_TEXTS), (tasks, TASK_TEXTS)):
        for member in members:
            for attribute in (*filled, *UNFILLED_TEXTS):
                value = member.get(attribute)
                text = "\n".join(map(str, value)) if isinstance(value, list) else value
                for name in _find_unfilled(text, attribute in filled) if isinstance(text, str) else []:
                    message = (
                        f"`{{{name}}}` stays as written: a placeholder has only ASCII letters, "
                        "digits, `_` and `-`."
                        if attribute in filled
                        else f"`{{{name}}}` stays as written: inputs do not replace it in `{attribute}`."
                    )
                    problems.warn(member.section.location(attribute), "unfilled-placeholder", message)


def _find_unfilled(text: str, is_filled: bool) -> list[str]:
    found = [match[0][1:-1] for match in _LOOKS_LIKE_PLACEHOLDER.finditer(text)]
    return [name for name in dict.fromkeys(found) if not (is_filled and _NAME.fullmatch(name))]


def _find_placeholders(
    agents: list[DocumentMember], tasks: list[DocumentMember]
) -> Iterator[tuple[str, Location]]:
    for members, attributes in ((agents, AGENT_TEXTS), (tasks, TASK_TEXTS)):
        for member in members:
            for attribute in attributes:
                text = member.get(attribute)
                for name in placeholder_names(text) if isinstance(text, str) else []:
                    yield name, member.section.location(attribute)
