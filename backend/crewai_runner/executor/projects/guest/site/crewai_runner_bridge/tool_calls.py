"""Pairs the start of a tool call with its end: crewai's events have no common id in every version."""

import itertools
import json
import os
import threading
from typing import Any

from .channel import channel
from .json_values import MAX_SHORT_TEXT, to_text

Fields = dict[str, Any]


class ToolCalls:
    """The calls in progress, by task, tool and arguments. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, list[str]] = {}
        self._numbers = itertools.count(1)

    def start(self, fields: Fields, tool: str, arguments: Any) -> None:
        call_id = f"{os.getpid()}-{next(self._numbers)}"
        with self._lock:
            self._open.setdefault(_identify(fields, tool, arguments), []).append(call_id)
        channel.send("tool.started", **fields, tool=tool, call_id=call_id, arguments=arguments)

    def complete(self, fields: Fields, tool: str, arguments: Any, output: Any, from_cache: bool) -> None:
        call_id = self._take(fields, tool, arguments)
        text = to_text(output, MAX_SHORT_TEXT)
        channel.send(
            "tool.completed", **fields, tool=tool, call_id=call_id, output=text, from_cache=from_cache
        )

    def fail(self, fields: Fields, tool: str, arguments: Any, error: Any) -> None:
        call_id = self._take(fields, tool, arguments)
        channel.send("tool.failed", **fields, tool=tool, call_id=call_id, message=to_text(error, 8000))

    def _take(self, fields: Fields, tool: str, arguments: Any) -> str:
        """Return the id of the call that ended; a call whose start was not reported starts now."""
        key = _identify(fields, tool, arguments)
        with self._lock:
            calls = self._open.get(key)
        if not calls:
            self.start(fields, tool, arguments)
        with self._lock:
            call_id = self._open[key].pop()
            if not self._open[key]:
                del self._open[key]
        return call_id


def _identify(fields: Fields, tool: str, arguments: Any) -> str:
    return json.dumps([fields.get("task_key"), tool, arguments], sort_keys=True, default=str)
