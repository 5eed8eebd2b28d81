"""Unpaired surrogates in the texts of models and tools."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from crewai_runner.core.text import join_surrogates


def strip_surrogates(value: Any) -> Any:
    """Replace unpaired surrogates in all strings of a value: no client can encode them for the next call.

    Returns the same object when there are none.
    """
    if isinstance(value, str):
        return join_surrogates(value)
    if isinstance(value, list | tuple):
        items = [strip_surrogates(item) for item in value]
        is_unchanged = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_unchanged else type(value)(items)
    if isinstance(value, dict):
        changed = _changed_fields(value.items())
        return {**value, **changed} if changed else value
    if isinstance(value, BaseModel):
        changed = _changed_fields(value)
        return value.model_copy(update=changed) if changed else value
    return value


def _changed_fields(fields: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    return {name: new for name, old in fields if (new := strip_surrogates(old)) is not old}
