"""Requests to an application in this process, also ones whose answer does not end by itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI
from starlette.types import Message, Scope

TIMEOUT_SECONDS = 30
STREAM = b"text/event-stream"


class Answer(NamedTuple):
    status: int
    content_type: str
    body: str
    set_cookie: str


class WebSocketAnswer(NamedTuple):
    """The first message: `websocket.accept`, or how the connection was refused."""

    type: str
    code: int | None
    reason: str | None


async def ask(app: FastAPI, request: httpx.Request) -> Answer:
    """Send a request; of a stream, read the first part only."""
    url = urlsplit(str(request.url))
    scope = _make_scope("http", url.path, url.query, request.headers) | {"method": request.method}
    body, sent, left = [request.read()], [], asyncio.Event()

    async def receive() -> Message:
        if body:
            return {"type": "http.request", "body": body.pop(), "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if STREAM in dict(message.get("headers", ())).get(b"content-type", b""):
            left.set()

    await asyncio.wait_for(app(scope, receive, send), TIMEOUT_SECONDS)
    headers = httpx.Headers(sent[0]["headers"])
    text = b"".join(message.get("body", b"") for message in sent[1:]).decode(errors="replace")
    return Answer(sent[0]["status"], headers.get("content-type", ""), text, headers.get("set-cookie", ""))


async def connect(app: FastAPI, path: str, headers: Mapping[str, str]) -> WebSocketAnswer:
    """Open a WebSocket; one that is accepted is closed at once."""
    received = iter([{"type": "websocket.connect"}])
    answered: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

    async def receive() -> Message:
        return next(received, {"type": "websocket.disconnect", "code": 1000})

    async def send(message: Message) -> None:
        if not answered.done():
            answered.set_result(message)

    scope = _make_scope("websocket", path, "", httpx.Headers(headers)) | {"subprotocols": []}
    task = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait([task, answered], timeout=TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    task.cancel()
    await asyncio.wait([task])
    first = answered.result()
    return WebSocketAnswer(first["type"], first.get("code"), first.get("reason"))


class Stream(NamedTuple):
    """`began` is done with the first content, `ended` when the application has ended the answer."""

    began: asyncio.Future[None]
    ended: asyncio.Future[None]


@asynccontextmanager
async def follow(app: FastAPI, path: str, headers: Mapping[str, str]) -> AsyncIterator[Stream]:
    """Open a stream of server-sent events, or a WebSocket if the path ends with `/ws`, and keep it open."""
    kind = "websocket" if path.endswith("/ws") else "http"
    first = [{"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}]
    began: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def receive() -> Message:
        if first:
            return first.pop()
        return await asyncio.get_running_loop().create_future()  # the client stays

    async def send(message: Message) -> None:
        has_content = message.get("body") or message.get("text")
        if has_content and not began.done():
            began.set_result(None)

    scope = _make_scope(kind, path, "", httpx.Headers(headers)) | {"method": "GET", "subprotocols": []}
    ended = asyncio.create_task(app(scope, receive, send))
    try:
        yield Stream(began, ended)
    finally:
        ended.cancel()
        with suppress(asyncio.CancelledError):
            await ended


def _make_scope(kind: str, path: str, query: str, headers: httpx.Headers) -> Scope:
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower(), value) for name, value in headers.raw],
        "server": ("test", 80),
        "client": ("192.0.2.1", 1),
        "extensions": {},
    }
