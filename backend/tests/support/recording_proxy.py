"""A TCP proxy that counts the bytes of each connection, as a firewall between a run and a server would."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class RecordingProxy:
    """Listens on `port` of every loopback address. Bytes are `sent` and `received` by the clients."""

    port: int
    connections: int = 0
    sent: int = 0
    received: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def recording_proxy(target_port: int) -> Iterator[RecordingProxy]:
    """Forward connections to a port of this machine."""
    listener = socket.create_server(("0.0.0.0", 0))
    proxy = RecordingProxy(listener.getsockname()[1])
    sockets: list[socket.socket] = [listener]
    threads: list[threading.Thread] = []

    def pump(source: socket.socket, sink: socket.socket, attribute: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                with proxy.lock:
                    setattr(proxy, attribute, getattr(proxy, attribute) + len(data))
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", target_port))
                sockets.extend((client, server))
                with proxy.lock:
                    proxy.connections += 1
                for source, sink, attribute in ((client, server, "sent"), (server, client, "received")):
                    threads.append(threading.Thread(target=pump, args=(source, sink, attribute), daemon=True))
                    threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield proxy
    finally:
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in (accepting, *threads):
            thread.join(5)
        for one in sockets:
            one.close()
