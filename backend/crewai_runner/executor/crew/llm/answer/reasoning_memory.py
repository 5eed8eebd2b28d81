"""Returns a model's reasoning to it with the tool calls it led to, as reasoning models require."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

_MAX_TURNS = 256


class ReasoningMemory:
    """The reasoning of the answers that called tools, by these calls. CrewAI keeps only the calls."""

    def __init__(self) -> None:
        self._fields: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def keep(self, tool_calls: Sequence[Mapping[str, Any]], fields: Mapping[str, Any]) -> None:
        """Remember the fields, named as the provider sent them, of an answer with tool calls."""
        if not tool_calls or not fields:
            return
        self._fields[_key(tool_calls)] = fields
        while len(self._fields) > _MAX_TURNS:
            self._fields.popitem(last=False)

    def restore(self, messages: Sequence[Any]) -> list[Any]:
        """Return the messages with the fields added to the answers they belong to."""
        return [self._restore_one(message) for message in messages]

    def _restore_one(self, message: Any) -> Any:
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        if not calls or not isinstance(calls, list):
            return message
        fields = self._fields.get(_key(calls))
        return message if fields is None else {**message, **fields}


def _key(tool_calls: Sequence[Any]) -> str:
    found = []
    for call in tool_calls:
        function = call.get("function") or {}
        found.append([call.get("id"), function.get("arguments") or "{}"])
    return json.dumps(found, default=str)
