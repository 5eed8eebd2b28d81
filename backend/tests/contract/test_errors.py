"""Every failure is a problem document; a defect is an opaque one, told in full to the log alone."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import structlog

from crewai_runner.core.logging import SecretMask, configure_logging
from crewai_runner.core.settings import LogFormat, Settings
from crewai_runner.features.auth.rules import SignInFailureLimiter
from crewai_runner.features.auth.service import AuthDeps, AuthService
from crewai_runner.features.templates.service import TemplateService
from crewai_runner.main import create_app
from tests.support.dependencies import FixedProvider
from tests.support.environment import MISSING_FRONTEND_DIR

KEY = "the-key-of-this-test"
MEMBERS = {"type", "title", "status", "detail", "instance", "requestId", "error", "message"}
ORIGIN = "http://localhost:5173"


@pytest.fixture
def logged() -> Iterator[None]:
    """The product's own logging for one test, then the test runner's again."""
    root, before, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging("INFO", LogFormat.JSON, SecretMask())
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def http(logged: None) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings.model_construct(frontend_dir=MISSING_FRONTEND_DIR))
    app.state.mask = SecretMask()
    app.state.container = FixedProvider(AuthDeps(AuthService(KEY, SignInFailureLimiter(100))))
    headers = {"Authorization": f"Bearer {KEY}", "Origin": ORIGIN}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


def problem(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(body) >= MEMBERS
    assert body["status"] == answer.status_code
    assert body["error"] == body["message"] == body["detail"]
    assert body["type"].startswith("https://crewai-runner.dev/problems/")
    assert body["requestId"] == answer.headers["X-Request-Id"]
    return body


def broken(_: object) -> None:
    password = "the-local-variable"
    raise RuntimeError(f"/etc/passwd, postgresql://user:pass@host, {len(password)} characters")


async def test_a_defect_is_opaque_to_the_client(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TemplateService, "list", broken)

    answer = await http.get("/api/v1/templates", headers={"X-Request-Id": "trace-1"})

    assert answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    body = problem(answer)
    assert body["requestId"] == "trace-1"
    assert set(body) == MEMBERS
    for inside in ("passwd", "postgresql", "RuntimeError", "Traceback", ".py", "local-variable"):
        assert inside not in answer.text


async def test_a_defects_answer_is_as_safe_and_as_readable_as_any(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TemplateService, "list", broken)

    answer = await http.get("/api/v1/templates")

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize("form", list(LogFormat))
async def test_the_log_tells_where_a_defect_is_but_no_variables(
    http: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: LogFormat,
) -> None:
    monkeypatch.setattr(TemplateService, "list", broken)
    configure_logging("INFO", form, SecretMask())

    await http.get("/api/v1/templates", headers={"X-Request-Id": "trace-2"})

    log = capsys.readouterr().err
    assert "request.unhandled_error" in log
    assert "trace-2" in log
    assert "broken" in log
    assert "RuntimeError" in log
    assert "the-local-variable" not in log
    if form is LogFormat.JSON:
        lines = [json.loads(line) for line in log.splitlines()]
        assert [line["event"] for line in lines] == ["request.unhandled_error", "request"]
        assert [line["request_id"] for line in lines] == ["trace-2"] * 2
        assert lines[1]["status"] == HTTPStatus.INTERNAL_SERVER_ERROR


async def test_what_is_not_there_is_a_problem(http: httpx.AsyncClient) -> None:
    for path in ("/nothing", "/api/v1/nothing", "/api/v1/models/x/y"):
        answer = await http.get(path)
        body = problem(answer)
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert body["instance"] == path
        assert path in body["detail"]


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(http: httpx.AsyncClient) -> None:
    for path in ("/health", "/api/v1/templates"):
        answer = await http.delete(path)
        problem(answer)
        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        assert answer.headers["Allow"] == "GET"
