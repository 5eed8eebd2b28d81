"""Forwards connections from loopback ports to Unix sockets, with one thread for all of them."""

import select
import socket
import time

MAX_CONNECTIONS = 200
BUFFER_BYTES = 64 * 1024
BUSY_SECONDS = 0.005


class Link:
    """Two connected sockets; what arrives at one is sent to the other."""

    def __init__(self, client: socket.socket, upstream: socket.socket) -> None:
        self.sockets = (client, upstream)
        self.unsent = {client: bytearray(), upstream: bytearray()}
        self.has_ended = {client: False, upstream: False}
        self.is_shut = {client: False, upstream: False}

    def other(self, end: socket.socket) -> socket.socket:
        return self.sockets[1] if end is self.sockets[0] else self.sockets[0]

    def wanted_events(self, end: socket.socket) -> int:
        events = 0
        if not self.has_ended[end] and len(self.unsent[self.other(end)]) < BUFFER_BYTES:
            events |= select.POLLIN
        if self.unsent[end]:
            events |= select.POLLOUT
        return events

    def receive(self, end: socket.socket) -> None:
        try:
            data = end.recv(BUFFER_BYTES)
        except BlockingIOError:
            return
        if data:
            self.unsent[self.other(end)] += data
        else:
            self.has_ended[end] = True

    def send(self, end: socket.socket) -> None:
        """Send what waits for this end; after the last byte of the other end, close this direction."""
        if self.unsent[end]:
            try:
                del self.unsent[end][: end.send(self.unsent[end])]
            except BlockingIOError:
                return
        if not self.unsent[end] and self.has_ended[self.other(end)] and not self.is_shut[end]:
            self.is_shut[end] = True
            end.shutdown(socket.SHUT_WR)

    def is_over(self) -> bool:
        return all(self.is_shut.values())


class Forwarder:
    """Accepts connections on loopback ports and forwards each to a Unix socket."""

    def __init__(self) -> None:
        self.poll = select.poll()
        self.listeners: dict[int, tuple[socket.socket, str]] = {}
        self.links: dict[int, tuple[Link, socket.socket]] = {}
        self.registered: dict[int, int] = {}

    def listen(self, port: int, path: str) -> None:
        listener = socket.socket(socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        listener.setblocking(False)
        self.listeners[listener.fileno()] = (listener, path)
        self.watch(listener, select.POLLIN)

    def watch(self, end: socket.socket, events: int) -> None:
        """Wait for these events; with none, ignore the socket, which would report its end again and again."""
        number = end.fileno()
        if self.registered.get(number, 0) == events:
            return
        if events:
            self.poll.register(number, events)
            self.registered[number] = events
        else:
            self.poll.unregister(number)
            del self.registered[number]

    def run(self) -> None:
        while True:
            for number, events in self.poll.poll():
                if number in self.listeners:
                    self.accept(*self.listeners[number])
                elif number in self.links:
                    self.serve(*self.links[number], events)

    def accept(self, listener: socket.socket, path: str) -> None:
        upstream = socket.socket(socket.AF_UNIX)
        try:
            upstream.setblocking(False)
            upstream.connect(path)
            client = listener.accept()[0]
        except BlockingIOError:  # its server has not accepted the previous ones yet, or the client has gone
            upstream.close()
            time.sleep(BUSY_SECONDS)
            return
        except OSError:
            upstream.close()
            self.refuse(listener)
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(client, upstream)
        for end in link.sockets:
            self.links[end.fileno()] = (link, end)
            self.watch(end, select.POLLIN)
        self.limit_connections()

    def refuse(self, listener: socket.socket) -> None:
        """End the next connection: nothing listens on the Unix socket."""
        try:
            listener.accept()[0].close()
        except OSError:
            time.sleep(BUSY_SECONDS)

    def serve(self, link: Link, end: socket.socket, events: int) -> None:
        try:
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                link.receive(end)
            for each in link.sockets:
                link.send(each)
        except OSError:
            self.close(link)
            return
        if link.is_over():
            self.close(link)
            return
        for each in link.sockets:
            self.watch(each, link.wanted_events(each))

    def close(self, link: Link) -> None:
        for end in link.sockets:
            self.watch(end, 0)
            self.links.pop(end.fileno(), None)
            end.close()
        self.limit_connections()

    def limit_connections(self) -> None:
        """Accept no more connections than descriptors are left for."""
        events = select.POLLIN if len(self.links) < 2 * MAX_CONNECTIONS else 0
        for listener, _ in self.listeners.values():
            self.watch(listener, events)
