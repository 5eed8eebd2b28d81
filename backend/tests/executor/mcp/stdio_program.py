"""An MCP server on its input and output, without libraries: STDIO_TEST_PROGRAM. Its argument is the era."""

import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

era = sys.argv[1] if len(sys.argv) > 1 else "handshake"
lock = threading.Lock()
events: list[str] = []
waiting: dict[object, threading.Event] = {}


def send(message: dict[str, Any]) -> None:
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
        sys.stdout.flush()


def count(request: dict[str, Any]) -> str:
    token = request["params"]["_meta"]["progressToken"]
    for step in range(1, request["params"]["arguments"]["steps"] + 1):
        params = {"progressToken": token, "progress": step, "total": 3}
        send({"method": "notifications/progress", "params": params})
    return "counted"


def wait(request: dict[str, Any]) -> str:
    stop = waiting[request["id"]] = threading.Event()
    if stop.wait(30):
        events.append("cancelled")
    return "waited"


def flood(_: dict[str, Any]) -> str:
    while True:
        send({"method": "notifications/message", "params": {"data": "x" * 1000}})


def long_line(_: dict[str, Any]) -> str:
    send({"method": "notifications/message", "params": {"data": "x" * 9_000_000}})
    return "sent"


def noise(_: dict[str, Any]) -> str:
    for line in ("Server started!", "{", "[]", "3", "\x00"):
        with lock:
            print(line, flush=True)
    return "quiet now"


def environment(_: dict[str, Any]) -> str:
    others = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            others[process.name] = (process / "environ").read_text()
        except OSError as error:
            others[process.name] = type(error).__name__
    return json.dumps({"own": dict(os.environ), "others": others})


def attempt(action: Callable[[], object]) -> str:
    try:
        return str(action())
    except OSError as error:
        return type(error).__name__


TOOLS: dict[str, Callable[[dict[str, Any]], str]] = {
    "echo": lambda request: request["params"]["arguments"]["text"],
    "count": count,
    "wait": wait,
    "events": lambda _: ",".join(events) or "none",
    "die": lambda _: os._exit(1),
    "flood": flood,
    "long_line": long_line,
    "noise": noise,
    "environment": environment,
    "read": lambda request: attempt(Path(request["params"]["arguments"]["path"]).read_text),
    "connect": lambda request: attempt(
        lambda: socket.create_connection(("127.0.0.1", request["params"]["arguments"]["port"]), 2)
    ),
    "processes": lambda _: json.dumps([process.name for process in Path("/proc").glob("[0-9]*")]),
}


def answer(request: dict[str, Any]) -> None:
    method = request["method"]
    if method == "initialize" and era == "handshake":
        result: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
    elif method == "server/discover" and era == "stateless":
        result = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
    elif method == "tools/list":
        result = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}
    elif method == "tools/call":
        text = TOOLS[request["params"]["name"]](request)
        result = {"content": [{"type": "text", "text": text}]}
    else:
        send({"id": request["id"], "error": {"code": -32601, "message": "Method not found"}})
        return
    send({"id": request["id"], "result": result})


if __name__ == "__main__":
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("method") == "notifications/cancelled":
            if stop := waiting.get(message["params"]["requestId"]):
                stop.set()
        elif "id" in message:
            threading.Thread(target=answer, args=(message,), daemon=True).start()
