"""A small application behind a real socket, with the limits that the product's server has."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from crewai_runner.http.connection import LIMITS

PATIENCE_SECONDS = 20.0


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """The port on which the application answers."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, **LIMITS))
    thread = threading.Thread(target=server.run)
    begun = threading.Event()
    startup = server.startup

    async def announced(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        begun.set()

    server.startup = announced  # type: ignore[method-assign]
    thread.start()
    try:
        assert begun.wait(PATIENCE_SECONDS)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as opened:
        yield opened


def all_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)
