"""Validation of the inputs of one run against the inputs of its workflow."""

import json
import math
from collections.abc import Mapping
from typing import Any

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.field_types import excerpt, is_storable
from crewai_runner.domain.workflow import InputDefinition, InputType, WorkflowDefinition
from crewai_runner.domain.workflow_texts import AGENT_TEXTS, TASK_TEXTS, placeholder_names
from crewai_runner.domain.workflow_yaml.nodes import MAX_INTEGER, NotADocument, from_plain
from crewai_runner.domain.workflow_yaml.problems import Problems, did_you_mean

MAX_TEXT_LENGTH = 100_000
MAX_TOTAL_LENGTH = 500_000
MAX_RUN_INPUTS = 200
MAX_FILLED_LENGTH = 4_000_000
"""Characters of a workflow's texts with the inputs in place."""

TYPE_LABELS = {
    InputType.STRING: "text",
    InputType.TEXT: "text",
    InputType.INTEGER: "a whole number",
    InputType.NUMBER: "a number",
    InputType.BOOLEAN: "true or false",
    InputType.ARRAY: "a list",
    InputType.OBJECT: "a mapping",
    InputType.ANY: "any value",
}


class InputProblem(ApiModel):
    """One invalid input, by JSON pointer into the inputs, as in `/topic`."""

    pointer: str
    detail: str


def input_problems(
    definition: WorkflowDefinition, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[InputProblem]]:
    """Return the values for a run, defaults included, and every problem of the inputs.

    A whole number is a `number` too; nothing is converted. An optional input without a value becomes
    an empty text, because its placeholder is always replaced.
    """
    known = {declared.name: declared for declared in definition.inputs}
    if len(inputs) > MAX_RUN_INPUTS:
        return {}, [InputProblem(pointer="", detail=f"At most {MAX_RUN_INPUTS} inputs are allowed.")]
    values: dict[str, Any] = {}
    found: list[InputProblem] = []
    for name, value in inputs.items():
        if name in known:
            continue
        problem = _find_misspelling(name, known, inputs) or _find_value_problem(excerpt(name), value)
        if problem is None and is_storable(name):
            values[name] = value  # as in CrewAI: an input that no text uses
        else:
            found.append(InputProblem(pointer=_to_pointer(excerpt(name)), detail=problem or "Not a name."))
    for declared in definition.inputs:
        value = inputs.get(declared.name)
        problem = _find_problem(declared, value)
        if problem is not None:
            found.append(InputProblem(pointer=_to_pointer(declared.name), detail=problem))
        else:
            value = declared.default if value is None else value
            values[declared.name] = "" if value is None else value
    if sum(_measure(value) for value in values.values()) > MAX_TOTAL_LENGTH:
        detail = f"The inputs have more than {MAX_TOTAL_LENGTH:,} characters."
        found.append(InputProblem(pointer="", detail=detail))
    if _filled_length(definition, values) > MAX_FILLED_LENGTH:
        detail = (
            f"With the inputs in place, the workflow's texts have more than {MAX_FILLED_LENGTH:,} "
            "characters. Send shorter inputs, or use their placeholders less often."
        )
        found.append(InputProblem(pointer="", detail=detail))
    return values, found


def _filled_length(definition: WorkflowDefinition, values: Mapping[str, Any]) -> int:
    """Return the length of all texts with their placeholders replaced."""
    lengths = {name: len(str(value)) for name, value in values.items()}
    texts = [getattr(agent, name) for agent in definition.agents for name in AGENT_TEXTS]
    texts += [getattr(task, name) for task in definition.tasks for name in TASK_TEXTS]
    return sum(len(text) + sum(lengths.get(name, 0) for name in placeholder_names(text)) for text in texts)


def _measure(value: object) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value, default=str))


def has_wrong_type(value: object, kind: InputType) -> bool:
    """Return whether a value is not of an input's type."""
    if kind is InputType.ANY:
        return False
    if kind is InputType.BOOLEAN:
        return not isinstance(value, bool)
    if kind in (InputType.ARRAY, InputType.OBJECT):
        return not isinstance(value, list if kind is InputType.ARRAY else dict)
    if kind is InputType.INTEGER:
        return not isinstance(value, int) or isinstance(value, bool)
    if kind is InputType.NUMBER:
        return not isinstance(value, int | float) or isinstance(value, bool)
    return not isinstance(value, str)


def _find_problem(declared: InputDefinition, value: object) -> str | None:
    name = declared.name
    if value is None:
        return f"`{name}` is required." if declared.required and declared.default is None else None
    if has_wrong_type(value, declared.type):
        return f"`{name}` must be {TYPE_LABELS[declared.type]}."
    if declared.enum and value not in declared.enum:
        options = ", ".join(excerpt(str(option)) for option in declared.enum[:20])
        return f"`{name}` must be one of {options}."
    if isinstance(value, str) and declared.required and not value.strip():
        return f"`{name}` must not be empty."
    return _find_value_problem(name, value)


def _find_value_problem(name: str, value: object) -> str | None:
    if isinstance(value, str):
        if len(value) > MAX_TEXT_LENGTH:
            return f"`{name}` is longer than {MAX_TEXT_LENGTH:,} characters."
        return None if is_storable(value) else f"`{name}` contains a control character."
    if isinstance(value, float) and not math.isfinite(value):
        return f"`{name}` is not a finite number."
    if isinstance(value, int) and abs(value) >= MAX_INTEGER:
        return f"`{name}` is too large."
    return _find_structure_problem(name, value) if isinstance(value, list | dict) else None


def _find_structure_problem(name: str, value: object) -> str | None:
    try:
        from_plain(value)
    except NotADocument as error:
        return f"`{name}`: {error}".replace("document", "value")
    return f"`{name}` is too large." if _measure(value) > MAX_TEXT_LENGTH else None


def _find_misspelling(
    name: str, known: Mapping[str, InputDefinition], inputs: Mapping[str, Any]
) -> str | None:
    """Return a problem if the name is probably meant for an input that has no value."""
    near = Problems().nearest(name, [other for other in known if other not in inputs])
    if near is None:
        return None
    return f"`{excerpt(name)}` is not an input of this workflow.{did_you_mean(near)}"


def _to_pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
