"""A server with its real authentication, and people who sign in to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
from fastapi import FastAPI

from crewai_runner.features.auth.browser_sessions import BrowserSessions
from crewai_runner.features.auth.service import AuthService
from crewai_runner.features.auth.sign_in_limiter import MemorySignInLimiter
from crewai_runner.wiring.container import Container

SERVER_KEY = "cr_the-key-of-the-server"
PASSWORD = "correct horse battery staple"


class Team:
    """The API of a server as its administrator, its keys and its people see it."""

    def __init__(self, container: Container, app: FastAPI, *, failures_per_minute: int = 100) -> None:
        self.container, self.app = container, app
        limiter = MemorySignInLimiter(failures_per_minute)
        container.authenticator = AuthService(SERVER_KEY, limiter, container.credentials)
        container.people_deps = replace(container.people_deps, limiter=limiter)
        container.browser_sessions = BrowserSessions(
            container.sessions,
            container.cipher,
            SERVER_KEY,
            container.credentials,
            groups=container.identities.groups,
        )
        self.client = self.browser(SERVER_KEY)

    def browser(self, token: str | None = None) -> httpx.AsyncClient:
        """A client with cookies of its own, and with a key if there is one."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers)

    async def get(self, path: str, token: str = SERVER_KEY) -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {token}"})

    async def post(self, path: str, body: Mapping[str, Any], token: str = SERVER_KEY) -> httpx.Response:
        return await self.client.post(path, json=body, headers={"Authorization": f"Bearer {token}"})

    async def patch(self, path: str, body: Mapping[str, Any], token: str = SERVER_KEY) -> httpx.Response:
        return await self.client.patch(path, json=body, headers={"Authorization": f"Bearer {token}"})

    async def delete(self, path: str, token: str = SERVER_KEY) -> httpx.Response:
        return await self.client.delete(path, headers={"Authorization": f"Bearer {token}"})

    async def create_key(self, **rights: Any) -> str:
        """Create a key of the workspace; return it."""
        created = await self.post("/api-keys", {"name": "a program"} | rights)
        assert created.status_code == 201, created.text
        return str(created.json()["token"])

    async def find_key_id(self) -> str:
        """The newest key of the workspace."""
        return str((await self.get("/api-keys")).json()["apiKeys"][0]["id"])

    async def create_person(self, email: str, role: str, **more: Any) -> str:
        """Create a person with PASSWORD; return the id."""
        body = {"name": email.partition("@")[0].title(), "email": email, "password": PASSWORD, "role": role}
        created = await self.post("/people", body | more)
        assert created.status_code == 201, created.text
        return str(created.json()["person"]["id"])

    @asynccontextmanager
    async def signed_in(self, email: str, role: str) -> AsyncIterator[httpx.AsyncClient]:
        """The browser of a new person who is signed in."""
        await self.create_person(email, role)
        async with self.browser() as browser:
            await self.sign_in(browser, email)
            yield browser

    async def sign_in(self, browser: httpx.AsyncClient, email: str, **more: Any) -> httpx.Response:
        answer = await browser.post("/sign-in", json={"email": email, "password": PASSWORD} | more)
        if answer.is_success:
            browser.headers["X-CSRF-Token"] = answer.json()["csrfToken"]
        return answer
