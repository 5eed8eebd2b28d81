"""Limits on request headers, over a real socket."""

import socket
import time

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from crewai_runner.http import connection_limits
from tests.http.live_server import open_socket, read_all, serving


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
REQUEST_HEAD = b"GET / HTTP/1.1\r\nhost: t\r\n"


class TestHeaderSize:
    def test_endless_headers_are_rejected(self) -> None:
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(REQUEST_HEAD)
            answer = b""
            for number in range(40):
                try:
                    connection.sendall(b"x-%d: " % number + b"y" * 4000 + b"\r\n")
                except OSError:
                    break
                time.sleep(0.005)
            answer = _read_until_reset(connection)

        assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")

    def test_endless_request_line_is_rejected(self) -> None:
        with serving(APP) as port, open_socket(port) as connection:
            sent = 0
            try:
                connection.sendall(b"GET /")
                while sent < 50 * connection_limits.MAX_HEADER_BYTES:
                    connection.sendall(b"x" * 4096)
                    sent += 4096
                    time.sleep(0.001)
            except OSError:
                pass

        assert sent < 50 * connection_limits.MAX_HEADER_BYTES

    def test_large_headers_and_bodies_are_accepted(self) -> None:
        large = b"x-large: " + b"y" * 30_000 + b"\r\n"
        body = b"z" * 500_000
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(REQUEST_HEAD + large + b"\r\n")
            assert connection.recv(65536).endswith(b"hello")
            connection.sendall(b"POST /length HTTP/1.1\r\nhost: t\r\ncontent-length: 500000\r\n\r\n" + body)
            assert connection.recv(65536).endswith(b"500000")


class TestUnreadBody:
    def test_body_that_goes_on_after_its_response_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limits, "UNREAD_BODY_SECONDS", 0.3)
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(REQUEST_HEAD + b"content-length: 1000000\r\n\r\nx")
            assert connection.recv(65536).endswith(b"hello")
            closed = _drip_until_closed(connection)

        assert closed

    def test_client_that_closes_can_read_an_early_response(self) -> None:
        head = REQUEST_HEAD + b"connection: close\r\ncontent-length: 20000000\r\n\r\n"
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(head)
            for _ in range(200):
                connection.sendall(b"z" * 100_000)

            assert read_all(connection).endswith(b"hello")

    def test_response_announces_that_the_connection_closes(self) -> None:
        body = b"connection: close\r\ncontent-length: 4\r\n\r\nbody"
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(b"POST /length HTTP/1.1\r\nhost: t\r\n" + body)
            response = read_all(connection)

        assert response.endswith(b"4")
        assert b"connection: close" in response

    def test_complete_body_keeps_the_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limits, "UNREAD_BODY_SECONDS", 0.3)
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(REQUEST_HEAD + b"content-length: 4\r\n\r\nx")
            assert connection.recv(65536).endswith(b"hello")
            connection.sendall(b"yyy")
            time.sleep(0.6)
            connection.sendall(REQUEST_HEAD + b"\r\n")

            assert connection.recv(65536).endswith(b"hello")


class TestHeaderTimeout:
    def test_slow_headers_time_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limits, "HEADER_TIMEOUT_SECONDS", 0.3)
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(REQUEST_HEAD)

            assert read_all(connection).startswith(b"HTTP/1.1 408 ")

    def test_applies_to_the_second_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limits, "HEADER_TIMEOUT_SECONDS", 0.3)
        with serving(APP) as port, open_socket(port) as connection:
            connection.sendall(REQUEST_HEAD + b"\r\n")
            assert connection.recv(65536).endswith(b"hello")
            connection.sendall(b"GET / HT")

            assert read_all(connection).startswith(b"HTTP/1.1 408 ")

    def test_silent_connection_is_closed_without_a_response(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limits, "HEADER_TIMEOUT_SECONDS", 0.3)
        with serving(APP) as port, open_socket(port) as connection:
            assert read_all(connection) == b""

    def test_idle_connection_stays_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limits, "HEADER_TIMEOUT_SECONDS", 0.3)
        with serving(APP) as port, open_socket(port) as connection:
            for _ in range(2):
                connection.sendall(REQUEST_HEAD + b"\r\n")
                assert connection.recv(65536).endswith(b"hello")
                time.sleep(0.6)

    def test_websocket_stays_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limits, "HEADER_TIMEOUT_SECONDS", 0.3)
        with serving(APP) as port, connect(f"ws://127.0.0.1:{port}/ws") as websocket:
            time.sleep(0.6)
            websocket.send("still here")

            assert websocket.recv(timeout=10) == "still here"


def _drip_until_closed(connection: socket.socket) -> bool:
    """Send a byte at a time; return whether the server closes the connection meanwhile."""
    connection.settimeout(0.05)
    for _ in range(200):
        try:
            connection.sendall(b"x")
            if connection.recv(65536) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def _read_until_reset(connection: object) -> bytes:
    try:
        return read_all(connection)  # type: ignore[arg-type]
    except ConnectionError:
        return b""
