"""Messages to the MCP endpoint in both eras, and calls that stay open until a test ends them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import Message

from tests.support.principals import auth_headers

URL = "http://test/mcp"
STATELESS = "2026-07-28"
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
DOCUMENT = """\
name: Tea report
description: Reports about a topic.
agents:
  writer: {role: "Writer of {topic}", goal: Write, backstory: Clear.}
tasks:
  draft: {description: "Draft {topic}", expected_output: A draft, agent: writer}
  report: {description: "Report {topic}", expected_output: A report, agent: writer, human_input: true}
inputs:
  topic: {type: string, description: What to write about}
  depth: {type: integer, default: 1, enum: [1, 2]}
"""
SLUG = "tea-report"


def make_request(
    method: str, params: Mapping[str, Any] | None = None, *, is_stateless: bool = False, request_id: Any = 1
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the body and the headers of a request."""
    body: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": request_id,
        "method": method,
        "params": dict(params or {}),
    }
    if not is_stateless:
        return body, {**ACCEPT, "MCP-Protocol-Version": "2025-11-25"}
    prefix = "io.modelcontextprotocol/"
    meta = {f"{prefix}protocolVersion": STATELESS, f"{prefix}clientCapabilities": {}}
    body["params"]["_meta"] = {**meta, **body["params"].get("_meta", {})}
    headers = {**ACCEPT, "MCP-Protocol-Version": STATELESS, "MCP-Method": method}
    return body, headers | ({"MCP-Name": body["params"]["name"]} if method == "tools/call" else {})


async def send(
    client: httpx.AsyncClient,
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    is_stateless: bool = False,
    caller: str | None = None,
    **more: Any,
) -> httpx.Response:
    body, headers = make_request(method, params, is_stateless=is_stateless, **more)
    return await client.post(URL, json=body, headers=headers | (auth_headers(caller) if caller else {}))


async def call(
    client: httpx.AsyncClient, tool: str, arguments: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Call a tool and return its result."""
    response = await send(client, "tools/call", {"name": tool, "arguments": dict(arguments or {})}, **more)
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["result"]
    return result


async def notify(
    client: httpx.AsyncClient, method: str, params: Mapping[str, Any], **headers: str
) -> httpx.Response:
    body = {"jsonrpc": "2.0", "method": method, "params": dict(params)}
    return await client.post(URL, json=body, headers={**ACCEPT, **headers})


def read_events(text: str) -> list[dict[str, Any]]:
    """Return the messages of a stream of events."""
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data:")]


@dataclass
class OpenCall:
    """A request whose answer is awaited; `leave` closes its connection."""

    task: asyncio.Task[None]
    left: asyncio.Event
    sent: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent[1:]).decode()

    async def leave(self) -> None:
        self.left.set()
        await self.end()

    async def end(self) -> None:
        await asyncio.wait_for(asyncio.shield(self.task), 20)


@asynccontextmanager
async def open_call(
    app: FastAPI, params: Mapping[str, Any], *, caller: str = "owner", **more: Any
) -> AsyncIterator[OpenCall]:
    """Send a `tools/call` and keep its connection open."""
    session = more.pop("session", None)
    body, headers = make_request("tools/call", params, **more)
    headers |= auth_headers(caller) | ({"MCP-Session-Id": session} if session else {})
    pending = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    left, sent = asyncio.Event(), []

    async def receive() -> Message:
        if pending:
            return pending.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def keep(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "root_path": "",
        "query_string": b"",
        "headers": [(k.lower().encode(), v.encode()) for k, v in {"Host": "test", **headers}.items()],
        "server": ("test", 80),
        "client": ("192.0.2.1", 1),
        "extensions": {},
    }
    opened = OpenCall(asyncio.create_task(app(scope, receive, keep)), left, sent)
    try:
        yield opened
    finally:
        left.set()
        opened.task.cancel()
        await asyncio.wait([opened.task])
