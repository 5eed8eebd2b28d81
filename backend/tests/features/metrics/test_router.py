"""GET /metrics: access and the metrics of HTTP requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from crewai_runner.features.runs.run_list import RunListService
from crewai_runner.main import create_app
from tests.support.database import fresh_database
from tests.support.harness import API_KEY, ON_SQLITE, RunHarness, open_harness
from tests.support.metrics_page import MetricsPage

pytestmark = pytest.mark.each_database

AUTHORIZED = {"Authorization": f"Bearer {API_KEY}"}


def application(harness: RunHarness) -> FastAPI:
    """The application on the container of the harness, set up as its lifespan does."""
    app = create_app(container=harness.container)
    app.state.container, app.state.mask = harness.container, harness.container.mask
    app.state.telemetry = harness.container.telemetry
    return app


@asynccontextmanager
async def serving(harness: RunHarness, headers: Any = AUTHORIZED) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, including its authentication."""
    app = application(harness)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def scrape(client: httpx.AsyncClient) -> MetricsPage:
    response = await client.get("/metrics")
    assert response.status_code == 200, response.text
    return MetricsPage(response.text)


class TestAccess:
    @ON_SQLITE
    @pytest.mark.parametrize("credential", [None, "Bearer wrong", f"Basic {API_KEY}", f"Bearer {API_KEY}x"])
    @pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
    async def test_invalid_credentials_get_401(
        self, harness: RunHarness, credential: str | None, path: str
    ) -> None:
        headers = {} if credential is None else {"Authorization": credential}
        async with serving(harness, headers) as client:
            response = await client.get(path)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert "crewai_runner_" not in response.text

    async def test_metrics_public_opens_only_this_path(self, tmp_path: Path) -> None:
        with fresh_database("sqlite", tmp_path) as url:
            async with (
                open_harness(url, tmp_path, metrics_public=True) as harness,
                serving(harness, {}) as client,
            ):
                page = await scrape(client)
                refused = await client.get("/api/runs")

        assert page("database_up") == 1
        assert refused.status_code == 401

    @ON_SQLITE
    async def test_key_without_the_permission_gets_403(self, client: httpx.AsyncClient) -> None:
        response = await client.get("http://test/metrics", headers={"Authorization": "Bearer run-reader"})

        assert (response.status_code, response.json()["title"]) == (403, "Not allowed")


class TestMetricsPage:
    async def test_is_prometheus_text_and_not_cached(self, harness: RunHarness) -> None:
        async with serving(harness) as client:
            response = await client.get("/metrics")

        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        page = MetricsPage(response.text)
        assert (
            page("build_info", version="0.1.0", role="all", database=harness.container.engine.dialect.name)
            == 1
        )
        assert page("process_resident_memory_bytes") > 0

    async def test_two_applications_in_one_process_count_separately(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        with fresh_database("sqlite", tmp_path / "a") as one, fresh_database("sqlite", tmp_path / "b") as two:
            async with (
                open_harness(one, tmp_path / "a") as first,
                open_harness(two, tmp_path / "b") as second,
            ):
                await first.create_running()
                async with serving(first) as client:
                    busy = await scrape(client)
                async with serving(second) as client:
                    idle = await scrape(client)

        assert (busy("runs_started_total"), idle("runs_started_total")) == (1, 0)
        assert (busy("runs", state="running"), idle("runs", state="running")) == (1, 0)

    @ON_SQLITE
    async def test_contains_no_secret(self, harness: RunHarness) -> None:
        async with serving(harness) as client:
            await client.get(f"/api/runs/{API_KEY}", params={"key": API_KEY})
            await client.request(API_KEY, f"/{API_KEY}")
            page = await scrape(client)

        assert API_KEY not in page.text


class TestRequestMetrics:
    @ON_SQLITE
    async def test_requests_are_counted_by_route_template(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        async with serving(harness) as client:
            before = await scrape(client)
            for path in (f"/api/runs/{run_id}", f"/api/v1/runs/{run_id}", "/api/runs/run_other"):
                await client.get(path)
            await client.get("/api/runs", headers={"Authorization": "Bearer wrong"})
            await client.get("/nowhere/at/all")
            await client.get("/api/v1/nowhere")
            await client.post("/health")
            await client.request("BREW", "/health")
            after = await scrape(client)

        def increase(method: str, route: str, status: str) -> float:
            labels = {"method": method, "route": route, "status": status}
            return after("http_requests_total", **labels) - before("http_requests_total", **labels)

        run_route = "/api/v1/runs/{run_id}"
        assert (increase("GET", run_route, "200"), increase("GET", run_route, "404")) == (2, 1)
        assert (increase("GET", "none", "401"), increase("GET", "none", "404")) == (1, 2)
        assert (increase("POST", "/health", "405"), increase("other", "/health", "405")) == (1, 1)
        assert increase("GET", "/metrics", "200") == 1  # the first scrape; this one is not finished yet
        assert after("http_request_duration_seconds_count", method="GET", route=run_route) == 3
        assert after("http_request_duration_seconds_bucket", method="GET", route=run_route, le="+Inf") == 3
        assert run_id not in after.text

    @ON_SQLITE
    async def test_unhandled_error_is_counted_as_500(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(RunListService, "list_page", broken)
        async with serving(harness) as client:
            assert (await client.get("/api/runs")).status_code == 500
            page = await scrape(client)

        assert page("http_requests_total", method="GET", route="/api/v1/runs", status="500") == 1

    @ON_SQLITE
    async def test_open_stream_counts_as_reader_not_as_slow_request(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        app = application(harness)
        started, disconnected = asyncio.Event(), asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                started.set()

        async def receive() -> dict[str, Any]:
            await disconnected.wait()
            return {"type": "http.disconnect"}

        path = f"/api/runs/{run_id}/stream"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"authorization", AUTHORIZED["Authorization"].encode())],
            "client": ("127.0.0.1", 1),
            "server": ("test", 80),
            "scheme": "http",
            "http_version": "1.1",
        }
        reading = asyncio.create_task(app(scope, receive, send))
        await asyncio.wait_for(started.wait(), 20)
        async with serving(harness) as client:
            during = await scrape(client)
            disconnected.set()
            await asyncio.wait_for(reading, 20)
            after = await scrape(client)

        route = "/api/v1/runs/{run_id}/stream"
        assert (during("stream_readers", kind="sse"), after("stream_readers", kind="sse")) == (1, 0)
        assert after("http_requests_total", method="GET", route=route, status="200") == 1
        assert after("http_stream_start_seconds_count", route=route) == 1
        assert after.sum("http_request_duration_seconds_count", route=route) == 0

    @ON_SQLITE
    async def test_client_that_disconnects_early_is_counted_as_499(self, harness: RunHarness) -> None:
        async with serving(harness) as client:
            await client.get("/health")  # builds the middleware stack
        app = application(harness)
        handler_started = asyncio.Event()

        async def waiting(*_: object, **__: object) -> None:
            handler_started.set()
            await asyncio.Event().wait()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RunListService, "list_page", waiting)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://test", headers=AUTHORIZED
            ) as client:
                request = asyncio.create_task(client.get("/api/runs"))
                await asyncio.wait_for(handler_started.wait(), 20)
                request.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await request
        async with serving(harness) as client:
            page = await scrape(client)

        assert page("http_requests_total", method="GET", route="/api/v1/runs", status="499") == 1
