"""The log of all requests to the provider, with a way to wait for changes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class RecordedRequest:
    """One request. Times are ``time.monotonic()`` seconds, comparable across processes of one machine."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    payload: dict[str, Any]
    started: float = field(default_factory=time.monotonic)
    status: int | None = None
    finished_at: float | None = None
    disconnected_at: float | None = None

    @property
    def model(self) -> str:
        return str(self.payload.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.payload.get("messages") or [])

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools of the request, as sent."""
        return list(self.payload.get("tools") or [])

    @property
    def tool_names(self) -> list[str]:
        return [str(tool.get("function", {}).get("name", "")) for tool in self.tools]

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")

    @property
    def api_key(self) -> str | None:
        """The bearer token of the request."""
        scheme, _, key = (self.authorization or "").partition(" ")
        return key if scheme.lower() == "bearer" and key else None

    @property
    def text(self) -> str:
        """The text of all messages, one line each."""
        return "\n".join(message_text(message) for message in self.messages)

    @property
    def last_message(self) -> str:
        return message_text(self.messages[-1]) if self.messages else ""

    @property
    def finished(self) -> bool:
        """Whether the complete response was sent."""
        return self.finished_at is not None

    @property
    def disconnected(self) -> bool:
        """Whether the client closed the connection before the response was complete."""
        return self.disconnected_at is not None

    @property
    def open(self) -> bool:
        return not self.finished and not self.disconnected

    def as_json(self) -> dict[str, Any]:
        """The record with the JSON names of the control API."""
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "payload": self.payload,
            "started": self.started,
            "status": self.status,
            "finishedAt": self.finished_at,
            "disconnectedAt": self.disconnected_at,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "RecordedRequest":
        """The inverse of ``as_json``."""
        names = {"finishedAt": "finished_at", "disconnectedAt": "disconnected_at"}
        return cls(**{names.get(name, name): value for name, value in content.items()})


def message_text(message: dict[str, Any]) -> str:
    """The text of a chat message, whether its content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


class RequestLog:
    """The requests of one provider. The server's thread writes; any thread may read and wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._listeners: list[Callable[[], None]] = []
        self.requests: list[RecordedRequest] = []
        self.other_requests: list[RecordedRequest] = []
        self._open: set[RecordedRequest] = set()
        self.max_in_flight = 0

    @property
    def in_flight(self) -> int:
        return len(self._open)

    def add_call(
        self, method: str, path: str, headers: dict[str, str], payload: dict[str, Any]
    ) -> RecordedRequest:
        """Record a model call; it is in flight until ``mark_finished`` or ``mark_disconnected``."""
        with self._changed:
            record = RecordedRequest(len(self.requests) + 1, method, path, headers, payload)
            self.requests.append(record)
            self._open.add(record)
            self.max_in_flight = max(self.max_in_flight, len(self._open))
        self._notify()
        return record

    def add_other(
        self, method: str, path: str, headers: dict[str, str], payload: dict[str, Any], status: int
    ) -> None:
        """Record a request that is not a model call."""
        with self._changed:
            record = RecordedRequest(
                len(self.other_requests) + 1, method, path, headers, payload, status=status
            )
            record.finished_at = record.started
            self.other_requests.append(record)
        self._notify()

    def mark_finished(self, record: RecordedRequest) -> None:
        with self._changed:
            record.finished_at = time.monotonic()
            self._open.discard(record)
        self._notify()

    def mark_disconnected(self, record: RecordedRequest) -> None:
        with self._changed:
            record.disconnected_at = time.monotonic()
            self._open.discard(record)
        self._notify()

    def reset(self) -> None:
        """Clear the log; requests still in flight are no longer counted."""
        with self._changed:
            self.requests, self.other_requests, self._open, self.max_in_flight = [], [], set(), 0
        self._notify()

    def disconnected_calls(self) -> list[RecordedRequest]:
        return [record for record in self.requests if record.disconnected]

    def wait_until(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Block the calling thread until the condition holds; returns False on timeout."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def add_listener(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call the listener after each change, in the server's thread; returns a function that removes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
        for listener in list(self._listeners):
            listener()
