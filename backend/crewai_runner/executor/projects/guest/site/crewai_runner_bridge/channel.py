"""The connection to the host: JSON lines on a Unix socket.

The first line from the host is its start message.
"""

import contextlib
import itertools
import json
import os
import queue
import socket
import threading
from typing import Any

SOCKET_PATH = os.environ.get("CREWAI_RUNNER_BRIDGE", "/run/runner/bridge.sock")
MAX_LINE_BYTES = 3_500_000


class Channel:
    """Sends messages and asks questions, from any thread. Connects at the first use.

    Without a host, messages are dropped and questions raise EOFError.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._request_ids = itertools.count(1)
        self.reset()

    def reset(self) -> None:
        """Forget the connection: the child of a fork opens another one."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._start: dict[str, Any] | None = None
        self._waiting: dict[str, queue.Queue[str | None]] = {}

    def start(self) -> dict[str, Any]:
        """Return the host's start message; empty without a host."""
        with self._lock:
            if self._start is None:
                self._start = self._connect()
            return self._start

    def _connect(self) -> dict[str, Any]:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(self._path)
            lines = connection.makefile("rb")
            start = json.loads(lines.readline())
        except (OSError, ValueError):
            connection.close()
            return {}
        self._socket = connection
        threading.Thread(target=self._receive, args=(lines,), name="bridge", daemon=True).start()
        return start if isinstance(start, dict) else {}

    def _receive(self, lines: Any) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                message = json.loads(line)
                answers = self._waiting.get(str(message.get("request_id")))
                if answers is not None:
                    answers.put(message.get("text"))
        self._socket = None
        for answers in list(self._waiting.values()):
            answers.put(None)

    def send(self, message_type: str, /, **fields: Any) -> None:
        """Send a message. Never raises."""
        with contextlib.suppress(Exception):
            self.start()
            line = _encode({"type": message_type, **fields})
            with self._lock:
                if self._socket is not None:
                    self._socket.sendall(line)

    def send_and_wait(self, message_type: str, seconds: float, /, **fields: Any) -> None:
        """Send a message and wait until the host has stored it, at most the given time. Never raises."""
        request_id = f"{os.getpid()}-{next(self._request_ids)}"
        answers = self._waiting[request_id] = queue.Queue()
        self.send(message_type, request_id=request_id, **fields)
        if self._socket is not None:
            with contextlib.suppress(queue.Empty):
                answers.get(timeout=seconds)
        del self._waiting[request_id]

    def ask(self, **fields: Any) -> str:
        """Ask a person and wait for the answer. Raises EOFError if there will be none."""
        request_id = f"{os.getpid()}-{next(self._request_ids)}"
        answers = self._waiting[request_id] = queue.Queue()
        try:
            self.send("input.requested", request_id=request_id, **fields)
            if self._socket is None:
                raise EOFError("There is no one to answer: the connection to the runner is closed.")
            text = answers.get()
        finally:
            del self._waiting[request_id]
        if text is None:
            raise EOFError("input() has no answer in a run: read the value from its inputs or a variable.")
        return text


def _encode(message: dict[str, Any]) -> bytes:
    line = json.dumps(message, ensure_ascii=False, default=str).encode("utf-8", "replace")
    if len(line) > MAX_LINE_BYTES:
        shorter = {key: value for key, value in message.items() if key not in ("json_output", "arguments")}
        shorter = {
            key: value[:100_000] if isinstance(value, str) else value for key, value in shorter.items()
        }
        line = json.dumps(shorter, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return line + b"\n"


channel = Channel(SOCKET_PATH)
os.register_at_fork(after_in_child=channel.reset)
