"""A server with two issuers, which run in a process of their own."""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from crewai_runner.core.clock import now
from crewai_runner.db.session import unit_of_work
from crewai_runner.db.tables.browser_sessions import ExternalSessionRow
from crewai_runner.db.tables.people import ExternalIdentityRow
from crewai_runner.wiring.container import Container
from tests.support.harness import RunHarness, open_harness
from tests.support.issuers import TestIssuers, run_issuers
from tests.support.teams import Team


class SingleSignOn(Team):
    """A team whose people sign in at issuers."""

    def __init__(self, container: Container, app: FastAPI, issuers: TestIssuers) -> None:
        super().__init__(container, app)
        self.issuers = issuers

    async def begin(self, browser: httpx.AsyncClient, issuer: str = "one", **more: Any) -> str:
        begun = await browser.post("/sign-in/issuer", json={"issuer": issuer} | more)
        assert begun.status_code == 200, begun.text
        return str(begun.json()["url"])

    async def finish(
        self, browser: httpx.AsyncClient, answer: Mapping[str, str], issuer: str = "one"
    ) -> httpx.Response:
        finished = await browser.post("/sign-in/issuer/callback", json={"issuer": issuer, **answer})
        if finished.is_success and (session := finished.json()["session"]):
            browser.headers["X-CSRF-Token"] = session["csrfToken"]
        return finished

    async def enter(
        self, browser: httpx.AsyncClient, login: str, issuer: str = "one", **more: Any
    ) -> httpx.Response:
        """Sign in at an issuer, from the first request to the session."""
        url = await self.begin(browser, issuer, **more)
        answer = await self.issuers.get(issuer).answer(url, login)
        return await self.finish(browser, answer, issuer)

    async def age_groups(self, seconds: float) -> None:
        """Let the groups of everyone be older; what was tried a moment ago is forgotten."""
        then = now() - timedelta(seconds=seconds)
        async with unit_of_work(self.container.sessions) as session:
            for table in (ExternalSessionRow, ExternalIdentityRow):
                await session.execute(update(table).values(checked_at=then))
        self.container.credentials.clear()
        self.container.browser_sessions.clear_cache()
        self.container.identities.groups._tried_at.clear()


@pytest.fixture(scope="session")
def issuers() -> Iterator[TestIssuers]:
    with run_issuers() as running:
        yield running


@pytest.fixture
async def harness(database_url: str, tmp_path: Path, issuers: TestIssuers) -> AsyncIterator[RunHarness]:
    settings = issuers.settings() | {"stream_ping_seconds": 0.1}
    async with open_harness(database_url, tmp_path, **settings) as opened:
        yield opened
        await opened.container.identities.groups.close()


@pytest.fixture
def sso(container: Container, app: FastAPI, issuers: TestIssuers) -> SingleSignOn:
    return SingleSignOn(container, app, issuers)


@pytest.fixture
async def browser(sso: SingleSignOn) -> AsyncIterator[httpx.AsyncClient]:
    async with sso.browser() as opened:
        yield opened


def read_slug(response: httpx.Response) -> str:
    """The status and the kind of a problem."""
    return f"{response.status_code} {response.json()['type'].rpartition('/')[2]}"


@pytest.fixture
def ann(issuers: TestIssuers) -> Iterator[str]:
    """Someone in the group `writers`, with a verified address, at both issuers."""
    for issuer in (issuers.one, issuers.two):
        issuer.set_account(
            "ann", name="Ann", email="ann@example.org", email_verified=True, groups=["writers", "other"]
        )
    yield "ann"
    for issuer in (issuers.one, issuers.two):
        issuer.delete_account("ann")
