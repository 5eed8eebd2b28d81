"""Placeholders in the texts of a workflow."""

import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_-]*)\}")


def fill_placeholders(text: str, inputs: Mapping[str, Any]) -> str:
    """Replace `{name}` of each known input by its value; unknown names and the values are not expanded."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return _to_text(inputs[name]) if name in inputs else match.group(0)

    return _PLACEHOLDER.sub(value, text)


def _to_text(value: Any) -> str:
    """Return the text that CrewAI writes for a value; None is an optional input without one."""
    return "" if value is None else str(value)
