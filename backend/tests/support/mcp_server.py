"""An MCP server with scripted answers, which records what it receives. Both eras of the protocol."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Message = dict[str, Any]
STATELESS, HANDSHAKE = "2026-07-28", "2025-11-25"


@dataclass(frozen=True)
class ReceivedMessage:
    """A message with the headers of its request, whose names are in lower case."""

    body: Message
    headers: dict[str, str]

    @property
    def method(self) -> str:
        return str(self.body.get("method", ""))


def make_tool(name: str, description: str = "Adds.", **schema: Any) -> Message:
    properties = schema or {"a": {"type": "number"}}
    return {
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties},
    }


@dataclass
class ScriptedMcpServer:
    """Listens on an unused loopback port within the `with` block.

    `eras` is what it speaks. `pages` are the pages of its list of tools. `results` are the results of its
    tools: a function of the arguments, or a value. A tool in `slow` answers after its seconds, unless the
    call is cancelled before; `cancelled` has the tools whose calls were.
    """

    eras: tuple[str, ...] = (STATELESS, HANDSHAKE)
    pages: list[list[Any]] = field(default_factory=lambda: [[make_tool("add")]])
    results: dict[str, Any] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    notifications: list[Message] = field(default_factory=list)
    requests_first: list[Message] = field(default_factory=list)
    required_headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    extra_headers: dict[str, str] = field(default_factory=dict)
    raw_answer: bytes | None = None
    ends_sessions: bool = False
    endless_cursor: bool = False
    received: list[ReceivedMessage] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    deleted: int = 0
    documents: dict[str, Any] = field(default_factory=dict)
    """What GET requests find, by path."""
    gets: list[str] = field(default_factory=list)
    other_results: dict[str, Message] = field(default_factory=dict)
    """Results of requests that are not about tools, by method."""

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._sessions: set[str] = set()
        self._cancelled_ids: set[Any] = set()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (McpHandler,), {"scripted": self})
        )
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/mcp"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def methods(self) -> list[str]:
        return [message.method for message in self.received]

    def calls(self) -> list[Message]:
        """Return the parameters of the calls of tools."""
        return [one.body["params"] for one in self.received if one.method == "tools/call"]

    def wait_until(self, condition: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Wait until something that a request changes is true; return whether it is."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def note(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    # What the handler asks

    def answer(self, message: Message, headers: dict[str, str]) -> Message:
        """Return the answer to a request."""
        method, request_id = message["method"], message["id"]
        base = {"jsonrpc": "2.0", "id": request_id}
        if method == "server/discover" and STATELESS in self.eras:
            return base | {"result": {"supportedVersions": list(self.eras), "capabilities": {"tools": {}}}}
        if method == "initialize" and HANDSHAKE in self.eras:
            return base | {
                "result": {
                    "protocolVersion": HANDSHAKE,
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "scripted", "version": "1"},
                }
            }
        if method in self.other_results:
            return base | {"result": self.other_results[method]}
        if method == "tools/list":
            return base | {"result": self._page(message)}
        if method == "tools/call":
            return base | {"result": self._call(message)}
        return base | {"error": {"code": -32601, "message": "Method not found"}}

    def _page(self, message: Message) -> Message:
        number = int(message.get("params", {}).get("cursor") or 0)
        if self.endless_cursor:
            return {"tools": self.pages[0], "nextCursor": str(number + 1)}
        page: Message = {"tools": self.pages[number]}
        return page | ({"nextCursor": str(number + 1)} if number + 1 < len(self.pages) else {})

    def _call(self, message: Message) -> Message:
        name, arguments = message["params"]["name"], message["params"].get("arguments", {})
        result = self.results.get(name, "done")
        value = result(arguments) if callable(result) else result
        return value if isinstance(value, dict) else {"content": [{"type": "text", "text": str(value)}]}


class McpHandler(BaseHTTPRequestHandler):
    """Answers for the server in `scripted`."""

    scripted: ScriptedMcpServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.scripted.note(lambda: self.scripted.received.append(ReceivedMessage(message, headers)))
        if self._refuses(message, headers):
            return
        if "id" not in message or "method" not in message:
            if message.get("method") == "notifications/cancelled":
                self.scripted.note(lambda: self.scripted._cancelled_ids.add(message["params"]["requestId"]))
            self._send(202, b"")
            return
        if self.scripted.raw_answer is not None:
            self._send(200, self.scripted.raw_answer)
        elif message["method"] == "tools/call" and (
            self.scripted.notifications
            or self.scripted.requests_first
            or message["params"]["name"] in self.scripted.slow
        ):
            self._stream(message, headers)
        else:
            self._send(200, json.dumps(self.scripted.answer(message, headers)).encode())

    def do_GET(self) -> None:
        self.scripted.note(lambda: self.scripted.gets.append(self.path))
        document = self.scripted.documents.get(self.path)
        self._send(404 if document is None else 200, json.dumps(document).encode())

    def do_DELETE(self) -> None:
        self.scripted.note(lambda: setattr(self.scripted, "deleted", self.scripted.deleted + 1))
        self._send(200, b"")

    def _refuses(self, message: Message, headers: dict[str, str]) -> bool:
        if any(headers.get(name) != value for name, value in self.scripted.required_headers.items()):
            self._send(401, b"{}")
            return True
        if self.scripted.status is not None:
            self._send(self.scripted.status, b"")
            return True
        if message.get("method") == "initialize":
            return False
        in_session = headers.get("mcp-session-id") in self.scripted._sessions
        if "mcp-method" not in headers and (self.scripted.ends_sessions or not in_session):
            self.scripted.ends_sessions = False
            self.scripted._sessions.clear()
            self._send(404 if "mcp-session-id" in headers else 400, b"")
            return True
        if "mcp-method" in headers and STATELESS not in self.scripted.eras:
            self._send(400, b"")
            return True
        return False

    def _stream(self, message: Message, headers: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        token = message["params"].get("_meta", {}).get("progressToken")
        for each in self.scripted.notifications:
            params = {"progressToken": token} | each["params"]
            self._event({"jsonrpc": "2.0"} | each | {"params": params})
        for each in self.scripted.requests_first:
            self._event({"jsonrpc": "2.0"} | each)
        name = message["params"]["name"]
        if self._wait(message, self.scripted.slow.get(name, 0.0)):
            self._event(self.scripted.answer(message, headers))
        else:
            self.scripted.note(lambda: self.scripted.cancelled.append(name))

    def _wait(self, message: Message, seconds: float) -> bool:
        """Wait; return False as soon as the call is cancelled: by a message, or by closing it."""
        end = time.monotonic() + seconds
        is_stateless = "mcp-method" in {name.lower() for name in self.headers}
        self.connection.settimeout(0.02)
        while time.monotonic() < end:
            if message["id"] in self.scripted._cancelled_ids:
                return False
            try:
                if self.connection.recv(1) == b"" and is_stateless:
                    return False
            except TimeoutError:
                continue
            except OSError:
                return False
            time.sleep(0.02)
        return True

    def _event(self, message: Message) -> None:
        self.wfile.write(b"event: message\ndata: " + json.dumps(message).encode() + b"\n\n")
        self.wfile.flush()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if body:
            self.send_header("Content-Type", "application/json")
        for name, value in self.scripted.extra_headers.items():
            self.send_header(name, value)
        if status == 200 and self.scripted.received and self.scripted.received[-1].method == "initialize":
            session = f"session-{len(self.scripted.received)}"
            self.scripted._sessions.add(session)
            self.send_header("Mcp-Session-Id", session)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""
