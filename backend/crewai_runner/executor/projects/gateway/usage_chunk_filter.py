"""Removes the usage that the gateway requested from a stream whose reader did not ask for it."""

import re

from crewai_runner.core.bounded_json import parse_json

_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_MAX_EVENT_BYTES = 64 * 1024
"""A longer event is no usage; it is passed on in pieces."""


class UsageChunkFilter:
    """Drops the events of a chat completion stream that hold usage and no choices. Changes no other byte."""

    def __init__(self) -> None:
        self._kept = b""
        self._is_inside_long_event = False

    def feed(self, data: bytes) -> bytes:
        """Return the complete events, without those that hold only usage."""
        data = self._kept + data
        passed: list[bytes] = []
        start = 0
        for end in _EVENT_END.finditer(data):
            event = data[start : end.end()]
            if self._is_inside_long_event or not _holds_only_usage(event):
                passed.append(event)
            self._is_inside_long_event = False
            start = end.end()
        self._kept = data[start:]
        if len(self._kept) > _MAX_EVENT_BYTES:
            self._is_inside_long_event = True
            return b"".join([*passed, self.finish()])
        return b"".join(passed)

    def finish(self) -> bytes:
        """Return the rest."""
        rest, self._kept = self._kept, b""
        return rest


def _holds_only_usage(event: bytes) -> bool:
    if b'"usage"' not in event:
        return False
    data = b"".join(line.removeprefix(b"data:") for line in event.splitlines() if line.startswith(b"data:"))
    try:
        payload = parse_json(data)
    except ValueError:
        return False
    return isinstance(payload, dict) and not payload.get("choices") and isinstance(payload.get("usage"), dict)
