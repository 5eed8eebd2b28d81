"""What guarded clients report of their requests: every one, once, with its bytes and how it ended."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from crewai_runner.core.answer_limits import AnswerLimits, AnswerTooLarge
from crewai_runner.core.egress import EgressPolicy, UrlRefused, guarded_blocking_client, guarded_client
from crewai_runner.core.egress_meter import MeasuredRequest, OnRequestEnd, RequestResult
from crewai_runner.core.host_patterns import parse_host_pattern
from tests.support.recording_proxy import RecordingProxy, recording_proxy

BODY = b"The page. " * 2000


@dataclass
class Observer:
    ended: list[MeasuredRequest] = field(default_factory=list)
    begun: int = 0

    def begin_request(self) -> OnRequestEnd:
        self.begun += 1
        return self.ended.append

    @property
    def one(self) -> MeasuredRequest:
        (request,) = self.ended
        return request


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/page")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", str(2 * len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture
def proxy() -> Iterator[RecordingProxy]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        with recording_proxy(server.server_port) as proxy:
            yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def policy(observer: Observer) -> EgressPolicy:
    return EgressPolicy(allow_private=True, observer=observer)


class TestBytes:
    async def test_keep_alive_gives_each_request_its_own(
        self, proxy: RecordingProxy, observer: Observer, policy: EgressPolicy
    ) -> None:
        url = f"http://127.0.0.1:{proxy.port}"

        async with guarded_client(policy) as client:
            await client.get(f"{url}/page")
            await client.post(f"{url}/page", content=b"x" * 50_000)

        assert proxy.connections == 1
        first, second = observer.ended
        assert (first.sent + second.sent, first.received + second.received) == (proxy.sent, proxy.received)
        assert first.sent < 500
        assert second.sent > 50_000
        assert min(first.received, second.received) > len(BODY)
        assert {request.result for request in observer.ended} == {RequestResult.ALLOWED}
        assert all(request.seconds > 0 for request in observer.ended)

    def test_blocking_client(self, proxy: RecordingProxy, observer: Observer, policy: EgressPolicy) -> None:
        with guarded_blocking_client(policy) as client:
            client.post(f"http://127.0.0.1:{proxy.port}/page", content=b"x" * 1000)

        assert (observer.one.sent, observer.one.received) == (proxy.sent, proxy.received)
        assert (observer.one.host, observer.one.port) == ("127.0.0.1", proxy.port)

    async def test_parallel_requests(
        self, proxy: RecordingProxy, observer: Observer, policy: EgressPolicy
    ) -> None:
        async with guarded_client(policy) as client:
            url = f"http://127.0.0.1:{proxy.port}/page"
            await asyncio.gather(*(client.post(url, content=b"x" * size * 1000) for size in range(1, 6)))

        sizes = sorted(request.sent // 1000 for request in observer.ended)
        assert sizes == [1, 2, 3, 4, 5]
        assert sum(request.sent for request in observer.ended) == proxy.sent

    async def test_redirect_is_a_request(
        self, proxy: RecordingProxy, observer: Observer, policy: EgressPolicy
    ) -> None:
        async with guarded_client(policy, follow_redirects=True) as client:
            await client.get(f"http://127.0.0.1:{proxy.port}/redirect")

        assert len(observer.ended) == 2
        assert sum(request.received for request in observer.ended) == proxy.received


class TestEnds:
    async def test_host_that_is_not_allowed(self, observer: Observer, policy: EgressPolicy) -> None:
        limited = replace(policy, allowed_hosts=(parse_host_pattern("example.com"),), remedy="Ask the owner.")

        async with guarded_client(limited) as client:
            with pytest.raises(UrlRefused):
                await client.get("http://Other.example.org/path?secret=1")

        refused = observer.one
        assert (refused.host, refused.port, refused.result) == (
            "other.example.org",
            80,
            RequestResult.REFUSED,
        )
        assert refused.reason is not None
        assert refused.reason.endswith("Ask the owner.")
        assert "secret" not in refused.reason

    @pytest.mark.parametrize(
        "url", ["ftp://example.com/", "http://169.254.169.254/", "http://u:p@example.com/"]
    )
    async def test_refused_urls(self, observer: Observer, policy: EgressPolicy, url: str) -> None:
        async with guarded_client(policy) as client:
            with pytest.raises((UrlRefused, httpx.UnsupportedProtocol)):
                await client.get(url)

        assert observer.one.result is RequestResult.REFUSED
        assert "u:p" not in observer.one.host

    async def test_unknown_name_has_failed(self, observer: Observer) -> None:
        def resolve(_host: str, _port: int) -> list[str]:
            raise OSError

        async with guarded_client(EgressPolicy(True, resolve=resolve, observer=observer)) as client:
            with pytest.raises(UrlRefused):
                await client.get("http://nowhere.example.com/")

        assert observer.one.result is RequestResult.FAILED

    async def test_closed_port_has_failed(
        self, observer: Observer, policy: EgressPolicy, proxy: RecordingProxy
    ) -> None:
        async with guarded_client(policy) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("http://127.0.0.1:9/")

        assert (observer.one.result, observer.one.sent) == (RequestResult.FAILED, 0)

    async def test_answer_that_is_cut_off_has_failed(
        self, observer: Observer, policy: EgressPolicy, proxy: RecordingProxy
    ) -> None:
        async with guarded_client(policy) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"http://127.0.0.1:{proxy.port}/cut")

        assert observer.one.result is RequestResult.FAILED
        assert observer.one.received > len(BODY)

    async def test_answer_that_is_too_large_is_counted(
        self, observer: Observer, policy: EgressPolicy, proxy: RecordingProxy
    ) -> None:
        limited = replace(policy, limits=AnswerLimits(max_bytes=100))
        async with guarded_client(limited) as client:
            with pytest.raises(AnswerTooLarge):
                await client.get(f"http://127.0.0.1:{proxy.port}/page")

        assert observer.one.received > 100

    async def test_cancelled_request_is_reported_once(self, observer: Observer, policy: EgressPolicy) -> None:
        connected = asyncio.Event()

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            connected.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        async with server, guarded_client(policy) as client:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            request = asyncio.create_task(client.get(url))
            await connected.wait()
            request.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await request

        assert observer.one.result is RequestResult.FAILED
        assert observer.one.sent > 0
        assert observer.one.reason == "The request was cut off."

    async def test_without_observer_nothing_is_measured(self, proxy: RecordingProxy) -> None:
        async with guarded_client(EgressPolicy(allow_private=True)) as client:
            response = await client.get(f"http://127.0.0.1:{proxy.port}/page")

        assert response.content == BODY
