"""A small application on a real socket, with the connection limits of the product."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from crewai_runner.http.connection_limits import UVICORN_LIMITS

TIMEOUT_SECONDS = 20.0


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Serve the application; yields its port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, **UVICORN_LIMITS))
    thread = threading.Thread(target=server.run)
    started = threading.Event()
    startup = server.startup

    async def signalling_startup(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        started.set()

    server.startup = signalling_startup  # type: ignore[method-assign]
    thread.start()
    try:
        assert started.wait(TIMEOUT_SECONDS)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(TIMEOUT_SECONDS)


@contextmanager
def open_socket(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    blocks = []
    while block := connection.recv(65536):
        blocks.append(block)
    return b"".join(blocks)
