"""The boundary for values from outside: models, tools, providers and people.

Everything the product stores or sends of them passes `clean_model` or `clean_json`, which mask secrets and
replace what a database or JSON cannot represent. Structure is never changed: names of fields, enums and
identifiers stay as they are.
"""

import functools
import math
import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.core.text import MAX_JSON_DEPTH, replace_unstorable

MAX_INTEGER = 2**63 - 1
"""The largest integer of a database column."""
MAX_DEPTH = 2 * MAX_JSON_DEPTH
MAX_DIGIT_BITS = 4096
TOO_DEEP = f"[nested deeper than {MAX_DEPTH} levels]"
_NO_SECRETS = TextMask(())
Model = TypeVar("Model", bound=BaseModel)


class _Verbatim:
    """Marks a field whose text is an identifier of ours, in which no secret is masked."""


VERBATIM = _Verbatim()
Identifier = Annotated[str, VERBATIM]
"""A key, name or slug that other data refers to. Fields named `id` or `…_id` need no mark."""


def clean_model(model: Model, mask: TextMask) -> Model:
    """Return the model with its free text and free-form JSON cleaned; the same object if nothing changes."""
    changes = {}
    for name, is_identifier in _outside_fields(type(model)):
        value = getattr(model, name)
        cleaned = _clean_field(value, _NO_SECRETS if is_identifier else mask)
        if cleaned is not value:
            changes[name] = cleaned
    return model.model_copy(update=changes) if changes else model


def make_storable(value: Any) -> Any:
    """`clean_json` without masking."""
    return clean_json(value, _NO_SECRETS)


def clean_json(value: Any, mask: TextMask, depth: int = 0) -> Any:
    """Return a JSON value of unknown structure that every database can store, with secrets masked.

    In the names of members only those secrets are masked that cannot be words. Numbers that are not finite
    become null, integers beyond 64 bits become text, and what is nested too deeply becomes a note.
    """
    match value:
        case bool() | Enum():
            return value
        case str():
            return replace_unstorable(mask(value))
        case int() | float():
            return _clean_number(value)
        case BaseModel():
            return clean_model(value, mask)
        case Mapping() | list() | tuple():
            return TOO_DEEP if depth >= MAX_DEPTH else _clean_container(value, mask, depth + 1)
        case _:
            return value


def _clean_container(value: Any, mask: TextMask, depth: int) -> Any:
    if not isinstance(value, Mapping):
        return [clean_json(item, mask, depth) for item in value]
    certain = mask.certain
    return {clean_json(key, certain): clean_json(item, mask, depth) for key, item in value.items()}


def _clean_number(value: float) -> float | str | None:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if abs(value) <= MAX_INTEGER:
        return value
    bits = value.bit_length()
    return str(value) if bits <= MAX_DIGIT_BITS else f"[integer of {bits} bits]"


def _clean_field(value: Any, mask: TextMask) -> Any:
    if isinstance(value, Mapping) and any(isinstance(item, BaseModel) for item in value.values()):
        # A mapping of our own: its keys are identifiers.
        cleaned: Any = {key: _clean_field(item, mask) for key, item in value.items()}
    elif isinstance(value, BaseModel | str):
        return clean_json(value, mask)
    elif isinstance(value, int):
        return max(-MAX_INTEGER, min(value, MAX_INTEGER)) if type(value) is int else value
    else:
        cleaned = clean_json(value, mask)
    return value if cleaned == value else cleaned


@functools.cache
def _outside_fields(model: type[BaseModel]) -> tuple[tuple[str, bool], ...]:
    """Return (name, whether it is an identifier) of the fields that may hold text, without constants."""
    return tuple(
        (name, name == "id" or name.endswith("_id") or VERBATIM in field.metadata or _has(field, VERBATIM))
        for name, field in model.model_fields.items()
        if not _has(field, Literal)
    )


def _has(field: FieldInfo, mark: object) -> bool:
    """Return whether the field's type, or a member of its union, is a Literal or carries the mark."""
    union = get_origin(field.annotation) in (Union, types.UnionType)
    members = get_args(field.annotation) if union else (field.annotation,)
    return any(get_origin(one) is mark or mark in getattr(one, "__metadata__", ()) for one in members)
