"""How many bytes of the database the events, results and messages of a run take. Pure."""

import json
from typing import Any

from crewai_runner.domain.run_events import (
    ApprovalRequested,
    ArtifactSaved,
    MessageAnswered,
    RunEvent,
    TaskCompleted,
)

_STORED_TWICE = (ApprovalRequested, MessageAnswered, TaskCompleted)
"""Events whose texts another row repeats: a result, an answer, an approval request."""


def measure_text(*texts: str | None) -> int:
    """Return the bytes of texts as they are stored; None counts as empty."""
    return sum(len(text.encode()) for text in texts if text)


def measure_json(*values: Any) -> int:
    """Return about how many bytes JSON values take: databases write numbers and accents differently."""
    return sum(measure_text(json.dumps(value, ensure_ascii=False, default=str)) for value in values)


def measure_event(event: RunEvent, frame: str) -> int:
    """Return the bytes of an event, serialized as `frame`, and of the file or the text stored with it."""
    size = measure_text(frame)
    if isinstance(event, ArtifactSaved):
        return size + event.data.size
    return 2 * size if isinstance(event, _STORED_TWICE) else size
