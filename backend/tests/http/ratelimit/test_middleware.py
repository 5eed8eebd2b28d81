"""Rate limit headers, rejections, and which requests are counted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.http.ratelimit.memory import MemoryRateLimiter
from crewai_runner.http.ratelimit.middleware import HEADERS
from crewai_runner.main import create_app
from tests.support.database import fresh_database
from tests.support.environment import MISSING_FRONTEND_DIR
from tests.support.harness import open_harness
from tests.support.principals import OWNER, STRANGER, SubjectAuthenticator, auth_headers

ORIGIN = "http://localhost:5173"
SendRequest = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[FastAPI]:
    """The application with a burst of 5 and 1 request per second, and a stopped clock."""
    limits = {"rate_limit_per_minute": 60, "rate_limit_burst": 5, "frontend_dir": MISSING_FRONTEND_DIR}
    with fresh_database("sqlite", tmp_path) as url:
        async with open_harness(url, tmp_path, **limits) as harness:
            harness.container.authenticator = SubjectAuthenticator(OWNER, STRANGER)
            app = create_app(container=harness.container)
            app.state.container, app.state.mask = harness.container, SecretMask()
            assert isinstance(harness.container.rate_limiter, MemoryRateLimiter)
            harness.container.rate_limiter._clock = lambda: 0.0
            app.state.rate_limiter = harness.container.rate_limiter
            yield app


@pytest.fixture
async def send(app: FastAPI) -> AsyncIterator[SendRequest]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

        async def send_request(
            path: str = "/api/templates", subject: str | None = "owner", **more: Any
        ) -> httpx.Response:
            headers = {} if subject is None else auth_headers(subject)
            return await client.get(path, headers=headers | more)

        yield send_request


class TestRateLimitMiddleware:
    async def test_every_response_has_the_headers(self, send: SendRequest) -> None:
        first, second = await send(), await send("/api/v1/nothing/there")

        assert (first.status_code, second.status_code) == (200, 404)
        assert first.headers["RateLimit-Policy"] == second.headers["RateLimit-Policy"] == '"default";q=5;w=5'
        assert first.headers["RateLimit"] == '"default";r=4;t=1'
        assert second.headers["RateLimit"] == '"default";r=3;t=2'
        triple = [second.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
        assert triple == ["5", "3", "2"]

    async def test_rejection_is_a_problem_with_retry_after(self, send: SendRequest) -> None:
        for _ in range(5):
            assert (await send()).status_code == 200

        rejected = await send()

        assert rejected.status_code == 429
        assert rejected.headers["Content-Type"] == "application/problem+json"
        assert rejected.headers["Retry-After"] == "1"
        assert rejected.headers["RateLimit"] == '"default";r=0;t=5'
        body = rejected.json()
        assert body["type"].endswith("/rate-limited")
        assert body["requestId"] == rejected.headers["X-Request-Id"]
        assert "1 s" in body["detail"]

    async def test_rejected_request_reaches_no_endpoint(self, send: SendRequest, app: FastAPI) -> None:
        reached: list[str] = []
        app.router.add_route("/api/v1/counted", lambda request: reached.append("x"))
        for _ in range(5):
            await send()

        await send("/api/counted")

        assert reached == []

    async def test_callers_are_counted_separately(self, send: SendRequest) -> None:
        for _ in range(6):
            rejected = await send()

        assert rejected.status_code == 429
        assert (await send(subject="stranger")).headers["RateLimit-Remaining"] == "4"

    async def test_anonymous_requests_are_not_counted(self, send: SendRequest, app: FastAPI) -> None:
        answers = [await send(subject=None) for _ in range(8)]

        assert {answer.status_code for answer in answers} == {401}
        assert not any(name in answers[-1].headers for name in HEADERS)
        assert len(app.state.rate_limiter) == 0

    @pytest.mark.parametrize(
        "path", ["/health", "/health/ready", "/docs", "/docs/assets/favicon.png", "/openapi.json", "/"]
    )
    async def test_public_paths_are_not_counted(self, send: SendRequest, app: FastAPI, path: str) -> None:
        answers = [await send(path) for _ in range(8)]

        assert all(answer.status_code != 429 for answer in answers)
        assert len(app.state.rate_limiter) == 0

    async def test_cors_exposes_the_headers(self, send: SendRequest) -> None:
        answer = await send(Origin=ORIGIN)

        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert set(HEADERS) <= set(exposed)

    async def test_rejection_has_cors_headers(self, send: SendRequest) -> None:
        for _ in range(6):
            rejected = await send(Origin=ORIGIN)

        assert rejected.status_code == 429
        assert rejected.headers["Access-Control-Allow-Origin"] == ORIGIN

    async def test_stream_costs_one_token(self, send: SendRequest) -> None:
        # An unknown run ends the stream before it begins; what counts is that it was opened.
        await send("/api/runs/run_1/stream")

        assert (await send()).headers["RateLimit-Remaining"] == "3"

    @pytest.mark.parametrize("answers_over_http", [True, False])
    async def test_websocket_is_rejected_before_acceptance(
        self, app: FastAPI, send: SendRequest, answers_over_http: bool
    ) -> None:
        for _ in range(5):
            await send()
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        headers = [(name.lower().encode(), value.encode()) for name, value in auth_headers("owner").items()]
        scope = {"type": "websocket", "path": "/api/runs/run_1/ws", "headers": headers, "query_string": b""}
        scope |= {"scheme": "ws", "server": ("test", 80), "client": ("test", 1), "root_path": ""}
        await app(
            scope | {"extensions": {"websocket.http.response": {}} if answers_over_http else {}},
            receive,
            send,
        )

        if answers_over_http:
            start, body = sent
            assert (start["type"], start["status"]) == ("websocket.http.response.start", 429)
            assert (b"retry-after", b"1") in start["headers"]
            assert b"rate-limited" in body["body"]
        else:
            assert sent == [{"type": "websocket.close", "code": 1013, "reason": "Too many requests"}]

    async def test_zero_disables_the_limit(self, tmp_path: Path) -> None:
        with fresh_database("sqlite", tmp_path) as url:
            async with open_harness(
                url, tmp_path, rate_limit_per_minute=0, frontend_dir=MISSING_FRONTEND_DIR
            ) as harness:
                app = create_app(container=harness.container)
                app.state.container, app.state.mask = harness.container, SecretMask()
                app.state.rate_limiter = harness.container.rate_limiter
                harness.container.authenticator = SubjectAuthenticator(OWNER)
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                    answer = await client.get("/api/templates", headers=auth_headers("owner"))

        assert harness.container.rate_limiter is None
        assert answer.status_code == 200
        assert not any(name in answer.headers for name in HEADERS)
