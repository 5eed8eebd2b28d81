"""Frames between the worker and its crew hosts, on a Unix socket pair.

A frame is 4 bytes of length (big-endian, of what follows the header), 1 byte of kind, 4 bytes with the number
of the attempt or model call that it belongs to (0: the host itself), and the payload.
"""

import asyncio
import struct
import threading
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import cast

_HEADER = struct.Struct(">IBI")
MAX_PAYLOAD_BYTES = 512 * 1024 * 1024
"""Above every limit of answers and documents; a longer frame means that the stream is damaged."""


class FrameKind(IntEnum):
    """What a frame says. Payloads to the host are pickled: the worker trusts itself. Payloads from the host
    are JSON.
    """

    # To the host
    EXECUTE = 1
    COMPLETE = 2
    CANCEL = 3
    STOP = 4
    MESSAGE = 5
    STORED = 6
    PING = 7
    SPENDING = 8
    EMBED = 9
    TOOL_ANSWER = 10
    # From the host
    READY = 20
    EVENT = 21
    FLUSH = 22
    OUTCOME = 23
    TEXT = 24
    COMPLETION = 25
    CALL_FAILED = 26
    CANCELLED = 27
    ERROR = 28
    PONG = 29
    REPLACING_TEXT = 30
    EMBEDDINGS = 31
    MEMORIES = 32
    CONNECTION = 33
    FILE = 34
    TOOL_REQUEST = 35


OnFrame = Callable[[FrameKind, int, bytes], None]


def encode(kind: FrameKind, number: int, payload: bytes = b"") -> bytes:
    return _HEADER.pack(len(payload), kind, number) + payload


class FrameConnection(asyncio.Protocol):
    """One end of the connection. `closed` resolves when the other end is gone."""

    def __init__(self, on_frame: OnFrame) -> None:
        self._on_frame = on_frame
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, kind: FrameKind, number: int, payload: bytes = b"") -> None:
        """Send a frame; does nothing when the connection is closed. Call it in the event loop."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(kind, number, payload))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        start = 0
        while len(received) - start >= _HEADER.size:
            length, kind, number = _HEADER.unpack_from(received, start)
            if length > MAX_PAYLOAD_BYTES:
                self.close()
                return
            end = start + _HEADER.size + length
            if len(received) < end:
                break
            payload = bytes(received[start + _HEADER.size : end])
            start = end
            self._on_frame(FrameKind(kind), number, payload)
        del received[:start]

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class Outbox:
    """Sends frames from any thread, in the order in which they were added."""

    def __init__(self, connection: FrameConnection) -> None:
        self._connection, self._loop = connection, asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._frames: deque[tuple[FrameKind, int, bytes]] = deque()

    def add(self, kind: FrameKind, number: int, payload: bytes = b"") -> None:
        with self._lock:
            self._frames.append((kind, number, payload))
            first = len(self._frames) == 1
        if first:
            self._loop.call_soon_threadsafe(self._send)

    def _send(self) -> None:
        with self._lock:
            frames, self._frames = self._frames, deque()
        for kind, number, payload in frames:
            self._connection.send(kind, number, payload)
