"""Errors are problem documents; unhandled errors are opaque, and logged in full."""

import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from crewai_runner.core.logging import configure_logging
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.setting_choices import LogFormat
from crewai_runner.core.settings import Settings
from crewai_runner.db.session import Sessions
from crewai_runner.features.auth.credentials import Credentials
from crewai_runner.features.auth.service import AuthService
from crewai_runner.features.auth.sign_in_limiter import MemorySignInLimiter
from crewai_runner.features.templates.service import TemplateService
from crewai_runner.main import create_app
from tests.support.dependencies import FixedProvider
from tests.support.environment import MISSING_FRONTEND_DIR
from tests.support.principals import audit_deps, auth_deps

KEY = "the-key-of-this-test"
MEMBERS = {"type", "title", "status", "detail", "instance", "requestId", "error", "message"}
ORIGIN = "http://localhost:5173"


@pytest.fixture(scope="module")
def application() -> FastAPI:
    """Built once, which takes a second; each test sets its state."""
    return create_app(Settings.model_construct(frontend_dir=MISSING_FRONTEND_DIR))


@pytest.fixture
async def http(restored_logging: None, application: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    configure_logging("INFO", LogFormat.JSON, SecretMask())
    app = application
    app.state.mask = SecretMask()
    app.state.container = FixedProvider(
        auth_deps(AuthService(KEY, MemorySignInLimiter(100), Credentials(Sessions()))), audit_deps()
    )
    headers = {"Authorization": f"Bearer {KEY}", "Origin": ORIGIN}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


def read_problem(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert set(body) >= MEMBERS
    assert body["status"] == response.status_code
    assert body["error"] == body["message"] == body["detail"]
    assert body["type"].startswith("https://crewai-runner.dev/problems/")
    assert body["requestId"] == response.headers["X-Request-Id"]
    return body


def fail(_: object) -> None:
    password = "the-local-variable"
    raise RuntimeError(f"/etc/passwd, postgresql://user:pass@host, {len(password)} characters")


class TestUnhandledError:
    async def test_response_is_opaque(self, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(TemplateService, "list", fail)

        response = await http.get("/api/v1/templates", headers={"X-Request-Id": "trace-1"})

        assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
        body = read_problem(response)
        assert body["requestId"] == "trace-1"
        assert set(body) == MEMBERS
        for internal in ("passwd", "postgresql", "RuntimeError", "Traceback", ".py", "local-variable"):
            assert internal not in response.text

    async def test_response_has_security_and_cors_headers(
        self, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(TemplateService, "list", fail)

        response = await http.get("/api/v1/templates")

        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN

    @pytest.mark.parametrize("form", list(LogFormat))
    async def test_log_has_a_traceback_without_variables(
        self,
        http: httpx.AsyncClient,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        form: LogFormat,
    ) -> None:
        monkeypatch.setattr(TemplateService, "list", fail)
        configure_logging("INFO", form, SecretMask())

        await http.get("/api/v1/templates", headers={"X-Request-Id": "trace-2"})

        log = capsys.readouterr().err
        assert "request.unhandled_error" in log
        assert "trace-2" in log
        assert "fail" in log
        assert "RuntimeError" in log
        assert "the-local-variable" not in log
        if form is LogFormat.JSON:
            lines = [json.loads(line) for line in log.splitlines()]
            assert [line["event"] for line in lines] == ["request.unhandled_error", "request"]
            assert [line["request_id"] for line in lines] == ["trace-2"] * 2
            assert lines[1]["status"] == HTTPStatus.INTERNAL_SERVER_ERROR


class TestHttpErrors:
    async def test_not_found(self, http: httpx.AsyncClient) -> None:
        for path in ("/nothing", "/api/v1/nothing", "/api/v1/models/x/y"):
            response = await http.get(path)
            body = read_problem(response)
            assert response.status_code == HTTPStatus.NOT_FOUND
            assert body["instance"] == path
            assert path in body["detail"]

    async def test_method_not_allowed_lists_methods(self, http: httpx.AsyncClient) -> None:
        for path in ("/health", "/api/v1/templates"):
            response = await http.delete(path)
            read_problem(response)
            assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
            assert response.headers["Allow"] == "GET"


class TestClientDisconnect:
    async def test_is_no_error_of_the_server(
        self, http: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        transport = http._transport
        assert isinstance(transport, httpx.ASGITransport)
        sent: list[Message] = []

        async def disconnect() -> Message:
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        path = "/api/v1/workflows/import"
        headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"content-type", b"application/zip")]
        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}

        await transport.app(scope, disconnect, send)

        log = capsys.readouterr().err
        assert sent[0]["status"] == 499
        assert "unhandled_error" not in log
        assert "Traceback" not in log
