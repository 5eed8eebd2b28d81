"""Turns the project's objects into bounded JSON values."""

import contextlib
import json
from typing import Any

MAX_TEXT = 400_000
MAX_SHORT_TEXT = 64_000
MAX_ITEMS = 500
MAX_DEPTH = 12
MAX_NODES = 10_000


def to_text(value: Any, limit: int = MAX_TEXT) -> str:
    """Return the text of a value, truncated."""
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def to_json(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON: models as objects, unknown objects as text, deep or long parts truncated."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return to_text(value, MAX_SHORT_TEXT)
    if depth >= MAX_DEPTH:
        return "…"
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        with contextlib.suppress(Exception):  # a model may contain what JSON has no form for
            value = dump(mode="json")
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ITEMS]
        return {to_text(key, 200): to_json(item, depth + 1) for key, item in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    return to_text(value, MAX_SHORT_TEXT)


def to_bounded_json(value: Any) -> Any:
    """Return a value as JSON, or None if it has too many parts."""
    result = to_json(value)
    nodes, waiting = 0, [result]
    while waiting and nodes <= MAX_NODES:
        node = waiting.pop()
        nodes += 1
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return None if waiting else result


def parse_arguments(value: Any) -> Any:
    """Return a tool's arguments as JSON; some versions pass them as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return to_text(value, MAX_SHORT_TEXT)
    return to_bounded_json(value)


def read_output(output: Any) -> tuple[str, Any]:
    """Return the text and the JSON of an output of a task, crew, flow or function."""
    raw = getattr(output, "raw", None)
    if isinstance(raw, str):
        structured = getattr(output, "pydantic", None) or getattr(output, "json_dict", None)
        return to_text(raw), None if structured is None else to_bounded_json(structured)
    if isinstance(output, str):
        return to_text(output), None
    structured = to_bounded_json(output)
    text = output if structured is None else json.dumps(structured, ensure_ascii=False)
    return (to_text(structured), None) if isinstance(structured, str) else (to_text(text), structured)


def to_name(value: Any, limit: int = 100) -> str:
    """Return a one-line name of printable characters, such as an agent's role."""
    text = " ".join(to_text(value, 1000).split())
    return "".join(filter(str.isprintable, text))[:limit].strip()
