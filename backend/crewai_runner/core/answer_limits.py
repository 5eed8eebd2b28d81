"""Limits of what another server may answer, applied while its bytes arrive: memory and disk stay bounded."""

import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx

MEGABYTE = 1024 * 1024
_PIECE_BYTES = 64 * 1024
_LINE_TYPES = ("text/event-stream", "application/x-ndjson", "application/jsonl")
_ZLIB_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})
_ANY_ZLIB_HEADER = zlib.MAX_WBITS | 32


class AnswerTooLarge(httpx.TransportError):
    """A server sent more than it may; the message names it and the limit."""


class EncodingRefused(httpx.TransportError):
    """A server compressed its answer in a way that it was not asked for."""


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """The size of one answer after decompression, and of one line of a stream, in bytes."""

    max_bytes: int = 32 * MEGABYTE
    max_line_bytes: int = 8 * MEGABYTE


class _Meter:
    """Decompresses and measures the bytes of one answer."""

    def __init__(self, response: httpx.Response, host: str, limits: AnswerLimits) -> None:
        self._host, self._limits = host, limits
        encoding = response.headers.get("content-encoding", "identity").strip().lower() or "identity"
        if encoding not in _ZLIB_ENCODINGS and encoding != "identity":
            raise EncodingRefused(f"{host} sent an answer encoded as {encoding!r}, which is not accepted.")
        self._is_deflate = encoding == "deflate"
        self._decoder = None if encoding == "identity" else zlib.decompressobj(_ANY_ZLIB_HEADER)
        self._has_lines = response.headers.get("content-type", "").lower().startswith(_LINE_TYPES)
        self._received = self._decoded = self._line = 0

    @property
    def decompresses(self) -> bool:
        return self._decoder is not None

    def read(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes in small pieces. Raises AnswerTooLarge and EncodingRefused."""
        self._received += len(data)
        self._check("one answer", self._received, self._limits.max_bytes)
        for piece in self._decode(data):
            self._decoded += len(piece)
            self._check("one answer", self._decoded, self._limits.max_bytes)
            if self._has_lines:
                self._measure_line(piece)
            yield piece

    def _decode(self, data: bytes) -> Iterator[bytes]:
        if self._decoder is None:
            yield data
            return
        piece = bytes(_PIECE_BYTES)
        while data or len(piece) == _PIECE_BYTES:  # a full piece may leave decoded bytes inside the decoder
            piece = self._decompress(data)
            data = self._decoder.unconsumed_tail
            yield piece

    def _decompress(self, data: bytes) -> bytes:
        assert self._decoder is not None  # noqa: S101
        try:
            return self._decoder.decompress(data, _PIECE_BYTES)
        except zlib.error as error:
            if not self._is_deflate or self._decoded:
                raise EncodingRefused(f"{self._host} sent an answer that cannot be decompressed.") from error
        self._decoder = zlib.decompressobj(-zlib.MAX_WBITS)  # deflate without a header
        self._is_deflate = False
        return self._decompress(data)

    def _measure_line(self, piece: bytes) -> None:
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        first = min((at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0), default=len(piece))
        self._check("one line of a stream", self._line + first, self._limits.max_line_bytes)
        self._line = self._line + len(piece) if end < 0 else len(piece) - end - 1

    def _check(self, what: str, size: int, limit: int) -> None:
        if size > limit:
            raise AnswerTooLarge(f"{self._host} sent more than {limit / MEGABYTE:g} MB in {what}.")


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, meter: _Meter) -> None:
        self._stream, self._meter = stream, meter

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            for piece in self._meter.read(data):
                yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _BoundedBlockingStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, meter: _Meter) -> None:
        self._stream, self._meter = stream, meter

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            yield from self._meter.read(data)

    def close(self) -> None:
        self._stream.close()


def bound_response(response: httpx.Response, host: str, limits: AnswerLimits) -> httpx.Response:
    """Return the response with its body decompressed and limited. Raises EncodingRefused."""
    meter = _Meter(response, host, limits)
    # The length of a body that is decompressed is another one; that of others says where they end.
    changed = {b"content-encoding", b"content-length"} if meter.decompresses else {b"content-encoding"}
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in changed]
    stream: httpx.AsyncByteStream | httpx.SyncByteStream
    if isinstance(response.stream, httpx.AsyncByteStream):
        stream = _BoundedStream(response.stream, meter)
    else:
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101
        stream = _BoundedBlockingStream(response.stream, meter)
    return httpx.Response(
        response.status_code, headers=headers, stream=stream, extensions=response.extensions
    )
