"""Answers of other servers stay within their limits, however they are compressed."""

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Iterator

import httpx
import pytest

from crewai_runner.core.answer_limits import MEGABYTE, AnswerLimits, AnswerTooLarge, EncodingRefused
from crewai_runner.core.egress import (
    EgressPolicy,
    RedirectRefused,
    guarded_blocking_client,
    guarded_client,
    refuse_foreign_redirect,
)

LIMITS = AnswerLimits(max_bytes=2 * MEGABYTE, max_line_bytes=MEGABYTE // 2)
POLICY = EgressPolicy(allow_private=True, limits=LIMITS)
HELLO = b'{"answer": "hello"}'


class RawServer:
    """Sends the same bytes to every client until it disconnects; `repeated` is sent without an end."""

    def __init__(self, head: str, body: bytes, repeated: bytes = b"") -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._answer = f"HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n\r\n".encode() + body
        self._repeated = repeated
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                try:
                    client.recv(65536)
                    client.sendall(self._answer)
                    while self._repeated:
                        client.sendall(self._repeated)
                except OSError:
                    pass

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def serve() -> Iterator[type[RawServer]]:
    servers: list[RawServer] = []

    def start(*args: object) -> RawServer:
        servers.append(RawServer(*args))  # type: ignore[arg-type]
        return servers[-1]

    yield start  # type: ignore[misc]
    for server in servers:
        server.close()


async def fetch(url: str) -> bytes:
    async with guarded_client(POLICY) as client:
        return (await client.get(url)).content


def zip_bomb() -> bytes:
    return gzip.compress(bytes(200 * MEGABYTE), 9)


class TestLimits:
    async def test_bomb_is_refused_within_bounded_memory(self, serve: type[RawServer]) -> None:
        server = serve("Content-Encoding: gzip", zip_bomb())

        tracemalloc.start()
        with pytest.raises(AnswerTooLarge, match=r"127\.0\.0\.1 sent more than 2 MB in one answer"):
            await fetch(server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert peak < 3 * LIMITS.max_bytes

    @pytest.mark.parametrize("kind", ["text/plain", "text/event-stream"])
    async def test_endless_body(self, serve: type[RawServer], kind: str) -> None:
        server = serve(f"Content-Type: {kind}", b"", b"data: x\n\n" * 5000)

        with pytest.raises(AnswerTooLarge, match="2 MB in one answer"):
            await fetch(server.url)

    async def test_endless_line_of_a_stream(self, serve: type[RawServer]) -> None:
        server = serve("Content-Type: text/event-stream", b"data: ", b"y" * 65536)

        with pytest.raises(AnswerTooLarge, match=r"0\.5 MB in one line"):
            await fetch(server.url)

    def test_client_without_an_event_loop(self, serve: type[RawServer]) -> None:
        server = serve("Content-Encoding: gzip", zip_bomb())

        with guarded_blocking_client(POLICY) as client, pytest.raises(AnswerTooLarge):
            client.get(server.url)

    @pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
    async def test_other_encodings_are_refused(self, serve: type[RawServer], encoding: str) -> None:
        server = serve(f"Content-Encoding: {encoding}", HELLO)

        with pytest.raises(EncodingRefused, match=encoding):
            await fetch(server.url)


class TestReading:
    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("identity", HELLO),
            ("gzip", gzip.compress(HELLO, mtime=0)),
            ("deflate", zlib.compress(HELLO)),
            ("deflate", zlib.compress(HELLO)[2:-4]),
        ],
        # gzip's header holds the time: generated ids would differ between the processes of a parallel run.
        ids=["identity", "gzip", "zlib", "raw deflate"],
    )
    async def test_body_arrives_decompressed(
        self, serve: type[RawServer], encoding: str, body: bytes
    ) -> None:
        assert await fetch(serve(f"Content-Encoding: {encoding}", body).url) == HELLO

    async def test_large_body_is_complete(self, serve: type[RawServer]) -> None:
        body = bytes(range(256)) * 7000

        assert await fetch(serve("Content-Encoding: gzip", gzip.compress(body)).url) == body


class TestRedirects:
    @pytest.mark.parametrize("target", ["https://127.0.0.1/", "http://localhost:1/", "//127.0.0.1:1/x"])
    def test_to_another_origin_is_refused(self, target: str) -> None:
        request = httpx.Request("POST", "http://127.0.0.1/v1/chat")

        with pytest.raises(RedirectRefused):
            refuse_foreign_redirect(httpx.Response(307, headers={"Location": target}, request=request))

    def test_within_the_origin_is_allowed(self) -> None:
        request = httpx.Request("POST", "http://127.0.0.1/v1/chat")

        refuse_foreign_redirect(httpx.Response(307, headers={"Location": "/v2/chat"}, request=request))
