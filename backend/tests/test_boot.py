"""During the import of the application the server answers /health; other requests wait."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from crewai_runner import boot as boot_module
from crewai_runner.boot import StartupApp


def application(log: list[str]) -> Starlette:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        log.append("up")
        yield
        log.append("down")

    async def hello(_request: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    return Starlette(routes=[Route("/hello", hello), Route("/health", hello)], lifespan=lifespan)


class Server:
    """Speaks ASGI to a StartupApp whose application is created when `import_finished` is set."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.log: list[str] = []
        self.import_finished = threading.Event()
        self.results: asyncio.Queue[Any] = asyncio.Queue()
        self._failure = failure
        self.boot = StartupApp(self._make, self.results.put_nowait, self._failed)
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.boot), base_url="http://test")

    def _failed(self, error: BaseException) -> None:
        self.results.put_nowait(error)

    def _make(self) -> Starlette:
        assert self.import_finished.wait(10)
        if self._failure is not None:
            raise self._failure
        return application(self.log)

    async def __aenter__(self) -> "Server":
        scope = {"type": "lifespan"}
        self._lifespan = asyncio.ensure_future(self.boot(scope, self._messages.get, self._sent.put))
        await self._messages.put({"type": "lifespan.startup"})
        assert await self._sent.get() == {"type": "lifespan.startup.complete"}
        return self

    async def __aexit__(self, *_: object) -> None:
        self.import_finished.set()
        await self._messages.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(self._lifespan, 10)
        assert await self._sent.get() == {"type": "lifespan.shutdown.complete"}
        await self.client.aclose()


async def receive_nothing() -> dict[str, Any]:
    return {}


class TestStartup:
    async def test_health_responds_during_the_import(self) -> None:
        async with Server() as server:
            response = await server.client.get("/health")

            assert (response.status_code, response.json()) == (200, {"status": "healthy"})
            assert server.log == []

    async def test_other_requests_wait_for_the_application(self) -> None:
        async with Server() as server:
            waiting = asyncio.ensure_future(server.client.get("/hello"))
            await server.client.get("/health")
            assert not waiting.done()

            server.import_finished.set()

            assert (await asyncio.wait_for(waiting, 10)).text == "hello"

    async def test_all_requests_reach_the_application_once_it_has_started(self) -> None:
        async with Server() as server:
            server.import_finished.set()
            app = await asyncio.wait_for(server.results.get(), 10)

            assert isinstance(app, Starlette)
            assert (await server.client.get("/health")).text == "hello"
            assert (await server.client.get("/absent")).status_code == 404

    async def test_lifespan_of_the_application_starts_and_stops(self) -> None:
        async with Server() as server:
            server.import_finished.set()
            await asyncio.wait_for(server.results.get(), 10)
            assert server.log == ["up"]

        assert server.log == ["up", "down"]

    async def test_request_gets_503_with_retry_after_at_the_time_limit(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(boot_module, "START_TIMEOUT_SECONDS", 0.0)
        async with Server() as server:
            response = await server.client.get("/hello")

        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["retry-after"] == "2"
        assert "still starting" in response.json()["detail"]

    async def test_early_websocket_is_closed_with_try_again_later(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(boot_module, "START_TIMEOUT_SECONDS", 0.0)
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async with Server() as server:
            await server.boot({"type": "websocket", "path": "/ws"}, receive_nothing, send)  # type: ignore[arg-type]

        assert sent == [{"type": "websocket.close", "code": 1013}]


class TestFailedStart:
    async def test_is_reported_and_the_shutdown_still_works(self) -> None:
        failure = RuntimeError("no such module")
        async with Server(failure) as server:
            server.import_finished.set()

            assert await asyncio.wait_for(server.results.get(), 10) is failure
            assert (await server.client.get("/health")).status_code == 200

    async def test_waiting_and_new_requests_get_503_without_the_reason_immediately(self) -> None:
        async with Server(RuntimeError("no such table")) as server:
            waiting = asyncio.ensure_future(server.client.get("/hello"))
            await server.client.get("/health")
            assert not waiting.done()

            server.import_finished.set()

            for request in (waiting, server.client.get("/hello")):
                response = await asyncio.wait_for(request, 10)
                assert response.status_code == 503
                assert response.headers["content-type"] == "application/problem+json"
                assert "could not start" in response.json()["detail"]
                assert "no such table" not in response.text
