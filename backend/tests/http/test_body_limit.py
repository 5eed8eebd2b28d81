"""The memory that request bodies may take together."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.http import middleware, problems
from crewai_runner.http.middleware import BodyLimitMiddleware

LIMIT = 1000


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.state.mask = SecretMask()
    problems.install(app)

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(BodyLimitMiddleware, limit=LIMIT)
    return app


class TestTooLargeBody:
    @pytest.mark.parametrize("declared", [True, False])
    async def test_of_an_archive_says_what_to_leave_out(self, app: FastAPI, *, declared: bool) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b"x" * (LIMIT + 1)

        content = b"x" * (LIMIT + 1) if declared else body()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            archive = {"Content-Type": "application/zip"}
            refused = await client.post("/length", content=content, headers=archive)
            other = await client.post("/length", content=b"x" * (LIMIT + 1))

        assert (refused.status_code, other.status_code) == (413, 413)
        assert "MAX_REQUEST_BYTES" in refused.json()["detail"]
        assert "leave out" in refused.json()["detail"]
        assert "leave out" not in other.json()["detail"]


class TestHeldBodies:
    async def test_slow_uploads_are_limited_together(
        self, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(middleware, "MAX_FULL_BODIES", 2)
        held, finish = asyncio.Semaphore(0), asyncio.Event()

        async def slow_body() -> AsyncIterator[bytes]:
            yield b"x" * LIMIT
            held.release()
            await finish.wait()

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            slow = [asyncio.create_task(client.post("/length", content=slow_body())) for _ in range(2)]
            for _ in slow:
                await held.acquire()
            refused = await client.post("/length", content=b"x")
            finish.set()
            finished = [(await task).json() for task in slow]
            after = await client.post("/length", content=b"x" * LIMIT)

        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert finished == [LIMIT, LIMIT]
        assert after.status_code == 200
