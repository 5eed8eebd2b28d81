"""The inputs of one run, held against what the workflow asks for."""

import math
from collections.abc import Mapping
from typing import Any

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.workflow import InputDefinition, InputType, WorkflowDefinition
from crewai_runner.domain.workflow_yaml.nodes import LARGEST, is_storable
from crewai_runner.domain.workflow_yaml.problems import Problems, did_you_mean, shown

MAX_VALUE = 100_000
MAX_TOTAL = 500_000
MAX_GIVEN = 200


class InputProblem(ApiModel):
    """One input that does not fit, by JSON pointer into the inputs, as in `/topic`."""

    pointer: str
    detail: str


def input_problems(
    definition: WorkflowDefinition, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[InputProblem]]:
    """The values a run works with (defaults filled in), and everything that is wrong with those given.

    A whole number is a `number` too; nothing is converted. An optional input without a
    value becomes empty text, for a placeholder must be filled with something.
    """
    known = {wanted.name: wanted for wanted in definition.inputs}
    if len(inputs) > MAX_GIVEN:
        return {}, [InputProblem(pointer="", detail=f"At most {MAX_GIVEN} inputs are possible.")]
    found = [_unknown(name, known) for name in inputs if name not in known]
    values: dict[str, Any] = {}
    for wanted in definition.inputs:
        given = inputs.get(wanted.name)
        problem = _problem(wanted, given)
        if problem is not None:
            found.append(InputProblem(pointer=_pointer(wanted.name), detail=problem))
        else:
            values[wanted.name] = _filled(wanted, given)
    if sum(len(value) for value in values.values() if isinstance(value, str)) > MAX_TOTAL:
        found.append(InputProblem(pointer="", detail=f"The inputs have more than {MAX_TOTAL:,} characters."))
    return values, found


def misfit(value: object, kind: InputType) -> bool:
    """Whether a value is not of the type of an input."""
    if kind is InputType.BOOLEAN:
        return not isinstance(value, bool)
    if kind is InputType.INTEGER:
        return not isinstance(value, int) or isinstance(value, bool)
    if kind is InputType.NUMBER:
        return not isinstance(value, int | float) or isinstance(value, bool)
    return not isinstance(value, str)


def _problem(wanted: InputDefinition, given: object) -> str | None:
    if given is None:
        return f"`{wanted.name}` is required." if wanted.required and wanted.default is None else None
    if misfit(given, wanted.type):
        return f"`{wanted.name}` must be {_WORDS[wanted.type]}."
    if wanted.enum and given not in wanted.enum:
        options = ", ".join(shown(str(option)) for option in wanted.enum[:20])
        return f"`{wanted.name}` must be one of {options}."
    if isinstance(given, str):
        return _text_problem(given, wanted)
    return _number_problem(given, wanted)


def _text_problem(text: str, wanted: InputDefinition) -> str | None:
    if len(text) > MAX_VALUE:
        return f"`{wanted.name}` is longer than {MAX_VALUE:,} characters."
    if not is_storable(text):
        return f"`{wanted.name}` contains a control character."
    return f"`{wanted.name}` must not be empty." if wanted.required and not text.strip() else None


def _number_problem(number: object, wanted: InputDefinition) -> str | None:
    if isinstance(number, float) and not math.isfinite(number):
        return f"`{wanted.name}` is not a finite number."
    too_large = isinstance(number, int) and abs(number) >= LARGEST
    return f"`{wanted.name}` is too large." if too_large else None


def _filled(wanted: InputDefinition, given: Any) -> Any:
    value = wanted.default if given is None else given
    return "" if value is None else value


def _unknown(name: str, known: Mapping[str, InputDefinition]) -> InputProblem:
    near = Problems().nearest(str(name), known)
    detail = f"`{shown(str(name))}` is not an input of this workflow.{did_you_mean(near)}"
    return InputProblem(pointer=_pointer(shown(str(name))), detail=detail)


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


_WORDS = {
    InputType.STRING: "text",
    InputType.TEXT: "text",
    InputType.INTEGER: "a whole number",
    InputType.NUMBER: "a number",
    InputType.BOOLEAN: "true or false",
}
