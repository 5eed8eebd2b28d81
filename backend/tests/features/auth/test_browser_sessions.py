"""Browser sessions: a cookie stands for the API key, and other sites cannot use it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from crewai_runner.core.clock import now
from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal
from crewai_runner.core.roles import server_principal
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.browser_sessions import BrowserSessionRow
from crewai_runner.features.auth.browser_sessions import CACHE_SECONDS, BrowserSessions
from crewai_runner.features.auth.cookies import check_same_site
from crewai_runner.features.auth.credentials import Credentials
from crewai_runner.features.auth.errors import CrossSiteRequest, InvalidApiKey, SessionEnded
from crewai_runner.http.client_address import ClientAddressMiddleware
from crewai_runner.wiring.container import Container
from tests.support.principals import OWNER, SubjectAuthenticator, auth_headers, browser_sessions

API_KEY = "cr_key-of-these-sessions"
PROVIDER = {"provider": {"name": "Mine", "type": "openai", "apiKey": "sk-live-0123456789abcdef"}}


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a cookie jar and without an API key, as a browser has it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as opened:
        yield opened


async def sign_in(browser: httpx.AsyncClient, *, remember: bool = False) -> httpx.Response:
    response = await browser.post(
        "/session", json={"remember": remember}, headers=auth_headers(OWNER.subject)
    )
    assert response.status_code == 201, response.text
    return response


class TestStart:
    async def test_cookie_authenticates_reading_and_with_the_csrf_token_changing(
        self, browser: httpx.AsyncClient
    ) -> None:
        csrf = {"X-CSRF-Token": (await sign_in(browser)).json()["csrfToken"]}

        assert (await browser.get("/about")).status_code == 200
        created = await browser.post("/providers", json=PROVIDER, headers=csrf)
        assert created.status_code == 201

    async def test_cookie_is_unreadable_for_scripts_and_ends_with_the_browser(
        self, browser: httpx.AsyncClient
    ) -> None:
        cookie = (await sign_in(browser)).headers["set-cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "expires" not in cookie.lower()
        assert "Secure" not in cookie

    async def test_remembered_cookie_lasts_and_is_secure_over_https(self, browser: httpx.AsyncClient) -> None:
        browser.base_url = httpx.URL("https://test/api/v1")

        cookie = (await sign_in(browser, remember=True)).headers["set-cookie"]

        assert "expires" in cookie.lower()
        assert "Secure" in cookie

    async def test_ends_the_previous_session_of_the_browser(self, browser: httpx.AsyncClient) -> None:
        await sign_in(browser)
        first = httpx.Cookies(browser.cookies)
        await sign_in(browser)

        browser.cookies = first
        response = await browser.get("/about")

        assert (response.status_code, response.json()["type"].rsplit("/")[-1]) == (401, "session-ended")

    async def test_database_has_neither_token_nor_cookie(
        self, browser: httpx.AsyncClient, container: Container
    ) -> None:
        cookie = (await sign_in(browser)).cookies[container.browser_sessions.cookie_name]
        token = container.cipher.decrypt(cookie)

        async with read_session(container.sessions) as session:
            [row] = await session.scalars(select(BrowserSessionRow))
        stored = {str(getattr(row, column.key)) for column in BrowserSessionRow.__table__.columns}

        assert not stored & {token, cookie}


class TestCrossSite:
    @pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}])
    async def test_change_without_the_csrf_token_is_refused(
        self, browser: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        await sign_in(browser)

        response = await browser.post("/providers", json=PROVIDER, headers=headers)

        assert (response.status_code, response.json()["type"].rsplit("/")[-1]) == (403, "cross-site-request")

    async def test_csrf_token_of_another_session_is_refused(self, browser: httpx.AsyncClient) -> None:
        foreign = (await sign_in(browser)).json()["csrfToken"]
        browser.cookies.clear()
        await sign_in(browser)

        response = await browser.delete("/session", headers={"X-CSRF-Token": foreign})

        assert response.status_code == 403

    @pytest.mark.parametrize(
        ("headers", "is_allowed"),
        [
            ({"sec-fetch-site": "same-origin"}, True),
            ({"sec-fetch-site": "same-site"}, False),
            ({"sec-fetch-site": "cross-site", "origin": "http://test", "host": "test"}, False),
            ({"origin": "http://test:8000", "host": "test:8000"}, True),
            ({"origin": "http://test:9000", "host": "test:8000"}, False),
            ({"origin": "http://test:8000", "host": "test", "x-forwarded-host": "test:8000"}, True),
            ({"origin": "null", "host": "test"}, False),
            ({"host": "test"}, False),
        ],
    )
    async def test_websocket_needs_an_origin_of_this_server(
        self, container: Container, headers: dict[str, str], is_allowed: bool
    ) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "websocket", "headers": raw, "client": ("192.0.2.1", 1)}
        await ClientAddressMiddleware(ignore_request, [ip_network("192.0.2.1")])(scope, connect, ignore)
        connection = HTTPConnection(scope)

        if is_allowed:
            check_same_site(connection, "", container.browser_sessions)
        else:
            with pytest.raises(CrossSiteRequest):
                check_same_site(connection, "", container.browser_sessions)


class TestPageOrigin:
    @pytest.mark.parametrize(
        ("headers", "is_allowed"),
        [
            ({}, True),
            ({"origin": "http://test:8000"}, True),
            ({"origin": "https://app.example"}, True),
            ({"origin": "https://evil.example"}, False),
            ({"origin": "null"}, False),
            ({"origin": "http://test:8000", "sec-fetch-site": "cross-site"}, False),
        ],
    )
    async def test_page_of_another_site_cannot_use_up_the_sign_ins_of_its_visitor(
        self, app: FastAPI, container: Container, headers: dict[str, str], is_allowed: bool
    ) -> None:
        authenticator = CountingAuthenticator()
        container.authenticator = authenticator
        container.settings.cors_origins = ["https://app.example"]
        offered = {"host": "test:8000", "sec-websocket-protocol": "crewai-runner, bearer.guess"} | headers
        scope = {
            "type": "websocket",
            "path": "/api/v1/runs/run_1/ws",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in offered.items()],
        }

        await app(scope, connect, ignore)

        assert authenticator.count == int(is_allowed)

    async def test_page_of_another_site_cannot_send_a_key_with_a_request(
        self, browser: httpx.AsyncClient
    ) -> None:
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}

        preflight = await browser.options("/models", headers={"Origin": "https://evil.example"} | asked)

        assert preflight.status_code == 400
        assert "access-control-allow-origin" not in preflight.headers


class CountingAuthenticator:
    """Counts the keys that it is asked to compare; none is right."""

    def __init__(self) -> None:
        self.count = 0

    async def authenticate(self, authorization: str | None, client: str) -> Principal:
        self.count += 1
        raise InvalidApiKey


async def ignore_request(_scope: Scope, _receive: Receive, _send: Send) -> None:
    pass


async def connect() -> Message:
    return {"type": "websocket.connect"}


async def ignore(_message: Message) -> None:
    pass


class TestEnd:
    async def test_signing_out_ends_the_session_and_deletes_the_cookie(
        self, browser: httpx.AsyncClient
    ) -> None:
        csrf = {"X-CSRF-Token": (await sign_in(browser)).json()["csrfToken"]}
        stolen = httpx.Cookies(browser.cookies)

        assert (await browser.delete("/session", headers=csrf)).status_code == 204

        assert not browser.cookies
        browser.cookies = stolen
        assert (await browser.get("/about")).status_code == 401

    async def test_other_processes_notice_within_the_cache_time(self, container: Container) -> None:
        seconds = 0.0
        here, there = (
            BrowserSessions(
                container.sessions, container.cipher, API_KEY, SubjectAuthenticator(), lambda: seconds
            )
            for _ in range(2)
        )
        started = await here.start(OWNER, remember=False)
        await there.authenticate(started.cookie)

        await here.end(started.cookie)
        seconds = CACHE_SECONDS

        with pytest.raises(SessionEnded):
            await there.authenticate(started.cookie)

    async def test_session_ends_at_its_time_even_when_cached(
        self, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sessions = browser_sessions(container)
        started = await sessions.start(OWNER, remember=True)
        await sessions.authenticate(started.cookie)

        monkeypatch.setattr(
            "crewai_runner.features.auth.browser_sessions.now", lambda: now() + timedelta(days=31)
        )

        with pytest.raises(SessionEnded):
            await sessions.authenticate(started.cookie)

    async def test_another_api_key_ends_every_session(self, container: Container) -> None:
        started = await BrowserSessions(
            container.sessions, container.cipher, API_KEY, Credentials(container.sessions)
        ).start(server_principal(), remember=True)
        changed = BrowserSessions(
            container.sessions, container.cipher, "cr_another-key", Credentials(container.sessions)
        )

        with pytest.raises(SessionEnded):
            await changed.authenticate(started.cookie)

    @pytest.mark.parametrize("cookie", ["", "forged", "é", "gAAAAA=="])
    async def test_forged_cookie_is_refused_without_a_query(self, container: Container, cookie: str) -> None:
        await container.engine.dispose()
        container.browser_sessions._sessions = None  # type: ignore[assignment]  # a query would fail

        with pytest.raises(SessionEnded):
            await container.browser_sessions.authenticate(cookie)

    async def test_expired_sessions_are_deleted_at_the_next_sign_in(self, container: Container) -> None:
        expired = BrowserSessionRow(
            id="sess_old",
            token_hash="old",
            workspace_id=BUILTIN_WORKSPACE,
            subject="x",
            key_proof="x",
            expires_at=now(),
        )
        async with unit_of_work(container.sessions) as session:
            session.add(expired)

        await container.browser_sessions.start(OWNER, remember=False)

        async with read_session(container.sessions) as session:
            assert await session.get(BrowserSessionRow, "old") is None


class TestDatabaseOutage:
    async def test_known_session_goes_on(self, container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
        seconds = 0.0
        sessions = BrowserSessions(
            container.sessions, container.cipher, API_KEY, SubjectAuthenticator(), lambda: seconds
        )
        cookie = (await sessions.start(OWNER, remember=False)).cookie
        await sessions.authenticate(cookie)

        monkeypatch.setattr(sessions, "_load", fail_as_unavailable)
        seconds = CACHE_SECONDS

        assert (await sessions.authenticate(cookie)).subject == OWNER.subject

    async def test_readiness_answers_a_browser_that_is_not_known_yet(
        self, browser: httpx.AsyncClient, container: Container, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await sign_in(browser)
        monkeypatch.setattr(container.browser_sessions, "_load", fail_as_unavailable)

        response = await browser.get("http://test/health/ready")

        assert response.json()["parts"]["database"] is not None


async def fail_as_unavailable(*_arguments: object) -> None:
    raise OperationalError("SELECT 1", {}, Exception("connection refused"))
