"""SIGTERM ends the server in time, also while its database does not answer."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.support.database import fresh_database
from tests.support.server_process import ServerProcess

pytestmark = pytest.mark.process
DRAIN_SECONDS = 2
CLOSING_SECONDS = 30
"""Far below the endless wait that the test guards against, and above what a busy machine needs."""


class DatabaseProxy:
    """A TCP proxy in front of PostgreSQL that can stop answering or refuse connections."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.is_silent = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if not self.is_silent:
                    target.sendall(data)
        except OSError:
            pass

    def close(self) -> None:
        """Refuse new connections and cut the open ones."""
        self._listener.close()
        for opened in self._sockets:
            opened.close()


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[tuple[DatabaseProxy, str]]:
    with fresh_database("postgresql", tmp_path) as url:
        parts = make_url(url)
        if parts.host is None:
            pytest.skip("PostgreSQL listens on a Unix socket only")
        proxy = DatabaseProxy(parts.host, parts.port or 5432)
        proxied_url = parts.set(host="127.0.0.1", port=proxy.port)
        yield proxy, proxied_url.render_as_string(hide_password=False)
        proxy.close()


class TestSigterm:
    @pytest.mark.parametrize("outage", ["silent", "down"])
    async def test_ends_while_the_database_is_away(
        self, proxied: tuple[DatabaseProxy, str], tmp_path: Path, outage: str
    ) -> None:
        proxy, url = proxied
        settings = {"DATABASE_URL": url, "DRAIN_SECONDS": str(DRAIN_SECONDS)}
        server = ServerProcess(tmp_path / "data", **settings).start()
        if outage == "silent":
            proxy.is_silent = True
        else:
            proxy.close()

        started = time.monotonic()
        server.stop()

        assert time.monotonic() - started < DRAIN_SECONDS + CLOSING_SECONDS, server.log()[-3000:]
