"""The server answers /health while the application is still being imported; everything else waits."""

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
from crewai_runner.serving import public_reason


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
    """Speaks ASGI to a StartupApp whose application is created when `import_ends` is set."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.log: list[str] = []
        self.import_ends = threading.Event()
        self.told: asyncio.Queue[Any] = asyncio.Queue()
        self._failure = failure
        self.boot = StartupApp(self._make, self.told.put_nowait, self._failed)
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.boot), base_url="http://test")

    def _failed(self, error: BaseException) -> str:
        self.told.put_nowait(error)
        return f"because: {error}"

    def _make(self) -> Starlette:
        assert self.import_ends.wait(10)
        if self._failure is not None:
            raise self._failure
        return application(self.log)

    async def __aenter__(self) -> "Server":
        scope = {"type": "lifespan"}
        self._life = asyncio.ensure_future(self.boot(scope, self._messages.get, self._said.put))
        await self._messages.put({"type": "lifespan.startup"})
        assert await self._said.get() == {"type": "lifespan.startup.complete"}
        return self

    async def __aexit__(self, *_: object) -> None:
        self.import_ends.set()
        await self._messages.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(self._life, 10)
        assert await self._said.get() == {"type": "lifespan.shutdown.complete"}
        await self.client.aclose()


async def test_health_is_answered_while_the_import_goes_on() -> None:
    async with Server() as server:
        response = await server.client.get("/health")

        assert (response.status_code, response.json()) == (200, {"status": "healthy"})
        assert server.log == []


async def test_other_requests_wait_for_the_application() -> None:
    async with Server() as server:
        waiting = asyncio.ensure_future(server.client.get("/hello"))
        await server.client.get("/health")
        assert not waiting.done()

        server.import_ends.set()

        assert (await asyncio.wait_for(waiting, 10)).text == "hello"


async def test_once_it_is_up_everything_is_the_applications() -> None:
    async with Server() as server:
        server.import_ends.set()
        app = await asyncio.wait_for(server.told.get(), 10)

        assert isinstance(app, Starlette)
        assert (await server.client.get("/health")).text == "hello"
        assert (await server.client.get("/absent")).status_code == 404


async def test_the_applications_own_lifespan_begins_and_ends() -> None:
    async with Server() as server:
        server.import_ends.set()
        await asyncio.wait_for(server.told.get(), 10)
        assert server.log == ["up"]

    assert server.log == ["up", "down"]


async def test_a_failed_import_is_told_and_the_shutdown_still_works() -> None:
    failure = RuntimeError("no such module")
    async with Server(failure) as server:
        server.import_ends.set()

        assert await asyncio.wait_for(server.told.get(), 10) is failure
        assert (await server.client.get("/health")).status_code == 200


async def test_after_a_failed_start_who_waits_and_who_comes_is_told_why_at_once() -> None:
    async with Server(RuntimeError("no such table")) as server:
        waiting = asyncio.ensure_future(server.client.get("/hello"))
        await server.client.get("/health")
        assert not waiting.done()

        server.import_ends.set()

        for asked in (waiting, server.client.get("/hello")):
            answer = await asyncio.wait_for(asked, 10)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"] == "The server could not start: because: no such table"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("connection refused", "connection refused"),
        ("first\nsecond", "first"),
        ("postgresql://me:p@ss/word@db.example/x is away", "postgresql://db.example/x is away"),
        ("", "see the log"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_everybody_may_read_the_reason_but_no_credentials(message: str, told: str) -> None:
    assert public_reason(message) == told


async def test_patience_ends_in_a_problem_that_says_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot_module, "START_TIMEOUT_SECONDS", 0.0)
    async with Server() as server:
        response = await server.client.get("/hello")

    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "2"
    assert "still starting" in response.json()["detail"]


async def test_an_early_websocket_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot_module, "START_TIMEOUT_SECONDS", 0.0)
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async with Server() as server:
        await server.boot({"type": "websocket", "path": "/ws"}, _nothing, send)  # type: ignore[arg-type]

    assert said == [{"type": "websocket.close", "code": 1013}]


async def _nothing() -> dict[str, Any]:
    return {}
