"""Checks that a text is JSON of the structure that a task's `output_json` demands. Pure."""

import json
from typing import Annotated, Any

import jsonschema
from jsonschema.exceptions import ValidationError, best_match
from pydantic import StringConstraints, TypeAdapter
from pydantic import ValidationError as PatternMismatch

from crewai_runner.core.text import check_storable

MAX_MESSAGE_LENGTH = 300


class StructureMismatch(ValueError):
    """The text is not JSON of the demanded structure; the message says what differs and where."""


def parse_structured(text: str, schema: dict[str, Any]) -> Any:
    """Return the JSON value of the text. Raises StructureMismatch."""
    try:
        value = check_storable(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise StructureMismatch(f"it is not valid JSON ({error or 'nested too deeply'})") from error
    mismatch = best_match(BoundedValidator(schema).iter_errors(value))
    if mismatch is not None:
        raise StructureMismatch(f"at {mismatch.json_path}: {mismatch.message[:MAX_MESSAGE_LENGTH]}")
    return value


def _check_pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Any:
    """Search with pydantic's engine, which needs linear time, instead of Python's."""
    if not isinstance(value, str):
        return
    try:
        TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)]).validate_python(value)
    except PatternMismatch:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_extend: Any = jsonschema.validators.extend
BoundedValidator = _extend(jsonschema.Draft202012Validator, {"pattern": _check_pattern})
"""JSON Schema draft 2020-12 with patterns searched in linear time."""
