"""An HTTP service with scripted answers that tools call, and that sees when a caller hangs up."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

HANG_SECONDS = 60.0


@dataclass(frozen=True)
class ServiceCall:
    """A request. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer. `hangs`: nothing is sent until the caller hangs up."""

    body: object = field(default_factory=dict)
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class ScriptedService:
    """Listens on an unused loopback port within the `with` block. The last reply is given again."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.calls: list[ServiceCall] = []
        self.hang_ups = 0
        self._changed = threading.Condition()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = service._store(ServiceCall(self.command, self.path, headers, body))
                if reply.hangs:
                    service._wait_for_hang_up(self)
                    return
                self.send_response(reply.status)
                for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.data)))
                self.end_headers()
                self.wfile.write(reply.data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Do not log requests."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A caller that hangs up is no error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for_calls(self, count: int) -> None:
        """Block until there were this many calls. Raises TimeoutError."""
        self._wait(lambda: len(self.calls) >= count)

    def wait_for_hang_ups(self, count: int, seconds: float = 20.0) -> None:
        """Block until this many callers of a hanging reply have hung up. Raises TimeoutError."""
        self._wait(lambda: self.hang_ups >= count, seconds)

    def _wait(self, condition: Any, seconds: float = 20.0) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, seconds):
                raise TimeoutError(f"{len(self.calls)} calls, {self.hang_ups} hung up")

    def _store(self, call: ServiceCall) -> Reply:
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
            return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def _wait_for_hang_up(self, handler: BaseHTTPRequestHandler) -> None:
        handler.connection.settimeout(HANG_SECONDS)
        handler.close_connection = True
        try:
            is_closed = handler.connection.recv(1) == b""
        except OSError:
            is_closed = True
        with self._changed:
            self.hang_ups += is_closed
            self._changed.notify_all()
