"""The HTTP server of the scripted provider."""

import asyncio
import base64
import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import Any

from tests.support.provider.chat_call import ChatCall, error_body, usage
from tests.support.provider.http_connection import Connection, HttpRequest
from tests.support.provider.protocols import protocol_of
from tests.support.provider.request_log import RecordedRequest, RequestLog
from tests.support.provider.rules import Rule, RuleSet

DIMENSIONS = 8
MODEL_CALL_PATHS = ("/chat/completions", "/responses", "/api/chat", "/api/generate")
"""Answered by the rules, next to the paths of other protocols; the last three with a `Body` only."""
MAX_WAIT_SECONDS = 60.0


class ProviderServer:
    """Responds to model calls by the rules and logs them. Runs on the event loop that called ``start``."""

    def __init__(self, *, api_key: str | None, delay: float, echo: bool, models: Sequence[str]) -> None:
        self.log = RequestLog()
        self.rules = RuleSet(echo)
        self.api_key = api_key
        self.delay = delay
        self.models = list(models)
        self._gates: dict[str, asyncio.Event] = {}
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._stopping: asyncio.Future[None] | None = None

    async def start(self, port: int, host: str = "127.0.0.1") -> int:
        """Listen on an interface, loopback by default; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self._connections), host, port, backlog=1024
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        while self._connections:
            await asyncio.sleep(0)

    def gate(self, name: str) -> asyncio.Event:
        return self._gates.setdefault(name, asyncio.Event())

    def release(self, name: str) -> None:
        """Open the gate for waiting and future calls. Call it only on the server's loop."""
        self.gate(name).set()

    def reset(self) -> None:
        """Clear rules, log and gates; calls in flight continue."""
        self.rules.replace([])
        self.log.reset()
        self._gates.clear()

    async def _handle(self, connection: Connection, request: HttpRequest) -> None:
        if request.path.startswith("/_control/"):
            await self._control(connection, request)
        elif not isinstance(_json(request), dict):
            connection.send_json(400, error_body(400, "The body is not a JSON object."))
        elif request.path.endswith(MODEL_CALL_PATHS) or protocol_of(request.path) is not None:
            await self._handle_chat(connection, request)
        else:
            self._handle_other(connection, request)

    async def _handle_chat(self, connection: Connection, request: HttpRequest) -> None:
        record = self.log.add_call(request.method, request.path, request.headers, request.json())
        chat = ChatCall(connection, record, self.gate, self.delay, self.log)
        try:
            if self._is_authorized(request):
                await self.rules.reply_to(record).send(chat)
            else:
                chat.send_json(401, error_body(401, "Incorrect API key provided."))
        except asyncio.CancelledError:
            if record.open:
                self.log.mark_disconnected(record)
            raise

    def _is_authorized(self, request: HttpRequest) -> bool:
        return self.api_key is None or request.headers.get("authorization") == f"Bearer {self.api_key}"

    def _handle_other(self, connection: Connection, request: HttpRequest) -> None:
        status, content = self._other_response(request)
        payload = request.json() if request.path.endswith("/embeddings") else {}
        self.log.add_other(request.method, request.path, request.headers, payload, status)
        connection.send_json(status, content)

    def _other_response(self, request: HttpRequest) -> tuple[int, dict[str, Any]]:
        if not self._is_authorized(request):
            return 401, error_body(401, "Incorrect API key provided.")
        if request.path.endswith("/models"):
            cards = [
                {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "script"}
                for name in self.models
            ]
            return 200, {"object": "list", "data": cards}
        if request.path.endswith("/embeddings"):
            return 200, embeddings(request.json())
        return 404, error_body(404, f"Unknown path {request.path}")

    async def _control(self, connection: Connection, request: HttpRequest) -> None:
        actions: dict[str, Callable[[HttpRequest], Any]] = {
            "POST /_control/script": self._control_script,
            "POST /_control/release": lambda given: self.release(given.json()["gate"]),
            "POST /_control/reset": lambda _: self.reset(),
            "GET /_control/requests": lambda given: self._state(full=given.query.get("bodies") != "false"),
        }
        wanted = f"{request.method} {request.path}"
        try:
            if wanted == "GET /_control/wait":
                connection.send_json(200, {"met": await self._control_wait(request)})
            elif wanted == "POST /_control/start":
                connection.send_json(200, {"url": await self._control_start()})
            elif wanted == "POST /_control/stop":
                connection.send_json(200, {})
                self._stopping = asyncio.ensure_future(self.stop())
            elif wanted in actions:
                connection.send_json(200, actions[wanted](request) or {})
            else:
                connection.send_json(404, {"error": f"No such control: {wanted}"})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            connection.send_json(400, {"error": f"{type(error).__name__}: {error}"})

    @staticmethod
    async def _control_start() -> str:
        """Start a separate provider in this process, with its own port, rules and log; return its URL."""
        another = ProviderServer(api_key=None, delay=0.0, echo=False, models=["test-model"])
        return f"http://127.0.0.1:{await another.start(0)}"

    def _control_script(self, request: HttpRequest) -> None:
        content = request.json()
        rules = [Rule.from_json(one) for one in content.get("rules", [])]
        (self.rules.append if content.get("append") else self.rules.replace)(rules)
        self.rules.echo = content.get("echo", self.rules.echo)
        self.delay = content.get("delayMs", self.delay * 1000) / 1000
        self.api_key = content.get("apiKey", self.api_key)
        self.models = content.get("models", self.models)

    def _state(self, full: bool) -> dict[str, Any]:
        records = {"requests": self.log.requests, "otherRequests": self.log.other_requests} if full else {}
        return {
            **{name: [record.as_json() for record in found] for name, found in records.items()},
            "count": len(self.log.requests),
            "inFlight": self.log.in_flight,
            "maxInFlight": self.log.max_in_flight,
            "disconnects": len(self.log.disconnected_calls()),
        }

    async def _control_wait(self, request: HttpRequest) -> bool:
        """Wait for these numbers of requests, disconnects and finished calls; returns False on timeout."""
        wanted = {name: int(request.query.get(name, 0)) for name in ("requests", "disconnects", "finished")}
        changed = asyncio.Event()
        remove_listener = self.log.add_listener(changed.set)
        try:
            async with asyncio.timeout(min(float(request.query.get("timeout", 10)), MAX_WAIT_SECONDS)):
                while not self._reached(wanted):
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return False
        finally:
            remove_listener()
        return True

    def _reached(self, wanted: dict[str, int]) -> bool:
        records: list[RecordedRequest] = self.log.requests
        return (
            len(records) >= wanted["requests"]
            and len(self.log.disconnected_calls()) >= wanted["disconnects"]
            and sum(record.finished for record in records) >= wanted["finished"]
        )


def _json(request: HttpRequest) -> Any:
    try:
        return request.json()
    except ValueError:
        return None


def embeddings(payload: dict[str, Any]) -> dict[str, Any]:
    """Return deterministic vectors of the texts, as floats or in base64 as requested."""
    given = payload.get("input", "")
    texts = given if isinstance(given, list) else [given]
    as_base64 = payload.get("encoding_format") == "base64"
    rows = []
    for index, text in enumerate(texts):
        vector = embed(str(text), int(payload.get("dimensions") or DIMENSIONS))
        packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() if as_base64 else vector
        rows.append({"object": "embedding", "index": index, "embedding": packed})
    counted = usage(sum(len(str(text).split()) for text in texts), 0)
    return {"object": "list", "data": rows, "model": payload.get("model", ""), "usage": counted}


def embed(text: str, dimensions: int) -> list[float]:
    """Return a unit vector derived from the hash of the text."""
    digest = hashlib.shake_256(text.encode()).digest(2 * dimensions)
    raw = [value - 32768 for value in struct.unpack(f"<{dimensions}H", digest)]
    length = sum(value * value for value in raw) ** 0.5 or 1.0
    return [value / length for value in raw]
