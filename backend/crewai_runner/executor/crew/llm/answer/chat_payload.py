"""Chat completion payloads, into which the payloads of other protocols are translated."""

import json
from collections.abc import Mapping
from typing import Any


def delta_payload(delta: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload that adds `delta` to the answer."""
    return {"choices": [{"index": 0, "delta": dict(delta)}]}


def finish_payload(reason: Any) -> dict[str, Any]:
    """Return a payload with the answer's finish reason; without one while the answer goes on."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def tool_call_delta(index: Any, call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    """Return the delta of a tool call; `arguments` is an object, or a piece of its JSON text."""
    text = (
        arguments if isinstance(arguments, str) else json.dumps(arguments, default=str) if arguments else ""
    )
    function = {"name": name or "", "arguments": text}
    return {"tool_calls": [{"index": index, "id": call_id or "", "function": function}]}


def reasoning_delta(index: Any, text: Any = None, **entry: Any) -> dict[str, Any]:
    """Return the delta of a reasoning block.

    `entry` holds what the provider expects back with the text: `signature`, or `data` instead of a text.
    """
    kind = "reasoning.encrypted" if "data" in entry else "reasoning.text"
    texts = {} if text is None else {"text": text}
    delta = {"reasoning_details": [{"type": kind, "index": index, **texts, **entry}]}
    return {**delta, "thinking": text} if isinstance(text, str) and text else delta


def add_counts(*figures: Any) -> Any:
    """Return the sum of the figures that are reported; the first one that is no possible number as it is."""
    reported = [figure for figure in figures if figure is not None]
    for figure in reported:
        if isinstance(figure, bool) or not isinstance(figure, int) or figure < 0:
            return figure
    return sum(reported) if reported else None


def usage_payload(**figures: Any) -> dict[str, Any]:
    """Return a payload with the reported figures, named as in chat completions."""
    return {"usage": {name: figure for name, figure in figures.items() if figure is not None}, "choices": []}


def members_of(value: Any, name: str) -> Mapping[str, Any]:
    """Return a member that should be an object; an empty one if it is not."""
    member = value.get(name) if isinstance(value, Mapping) else None
    return member if isinstance(member, Mapping) else {}


def items_of(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects in a member that should be a list."""
    found = value.get(name)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
