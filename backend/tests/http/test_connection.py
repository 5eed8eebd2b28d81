"""What a connection may do before there is a request, over a real socket."""

import time

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from crewai_runner.http import connection as module
from tests.http.live_server import all_of, connected, serving


async def hello(_request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


async def length(request: object) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))  # type: ignore[attr-defined]


APP = Starlette(
    routes=[
        Route("/", hello),
        Route("/length", length, methods=["POST"]),
        WebSocketRoute("/ws", echo),
    ]
)
ASK = b"GET / HTTP/1.1\r\nhost: t\r\n"


def test_headers_without_end_are_refused() -> None:
    with serving(APP) as port, connected(port) as connection:
        connection.sendall(ASK)
        answer = b""
        for number in range(40):
            try:
                connection.sendall(b"x-%d: " % number + b"y" * 4000 + b"\r\n")
            except OSError:
                break
            time.sleep(0.005)
        answer = _read(connection)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


def test_an_endless_request_line_is_refused() -> None:
    with serving(APP) as port, connected(port) as connection:
        sent = 0
        try:
            connection.sendall(b"GET /")
            while sent < 50 * module.MOST_HEAD_BYTES:
                connection.sendall(b"x" * 4096)
                sent += 4096
                time.sleep(0.001)
        except OSError:
            pass

    assert sent < 50 * module.MOST_HEAD_BYTES


def test_headers_that_trickle_in_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    with serving(APP) as port, connected(port) as connection:
        connection.sendall(ASK)

        assert all_of(connection).startswith(b"HTTP/1.1 408 ")


def test_a_second_request_on_a_connection_is_held_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    with serving(APP) as port, connected(port) as connection:
        connection.sendall(ASK + b"\r\n")
        assert connection.recv(65536).endswith(b"hello")
        connection.sendall(b"GET / HT")

        assert all_of(connection).startswith(b"HTTP/1.1 408 ")


def test_who_says_nothing_is_left_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    with serving(APP) as port, connected(port) as connection:
        assert all_of(connection) == b""


def test_an_idle_connection_outlives_the_time_for_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    with serving(APP) as port, connected(port) as connection:
        for _ in range(2):
            connection.sendall(ASK + b"\r\n")
            assert connection.recv(65536).endswith(b"hello")
            time.sleep(0.6)


def test_large_headers_and_large_bodies_in_one_piece_pass() -> None:
    large = b"x-large: " + b"y" * 30_000 + b"\r\n"
    body = b"z" * 500_000
    with serving(APP) as port, connected(port) as connection:
        connection.sendall(ASK + large + b"\r\n")
        assert connection.recv(65536).endswith(b"hello")
        connection.sendall(b"POST /length HTTP/1.1\r\nhost: t\r\ncontent-length: 500000\r\n\r\n" + body)
        assert connection.recv(65536).endswith(b"500000")


def test_a_websocket_outlives_the_time_for_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    with serving(APP) as port, connect(f"ws://127.0.0.1:{port}/ws") as websocket:
        time.sleep(0.6)
        websocket.send("still here")

        assert websocket.recv(timeout=10) == "still here"


def _read(connection: object) -> bytes:
    try:
        return all_of(connection)  # type: ignore[arg-type]
    except ConnectionError:
        return b""
