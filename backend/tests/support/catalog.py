"""Fixtures for tests of providers and models: services and an API client."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from crewai_runner.core.principal import BUILTIN_WORKSPACE, Principal, Scope
from crewai_runner.core.settings import Settings
from crewai_runner.db.base import Base
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.features.auth.errors import InvalidApiKey
from crewai_runner.features.models.catalog import ModelCatalog
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.providers.catalog.provider_catalog import ProviderCatalog
from crewai_runner.features.providers.service import ProviderService
from crewai_runner.localmodel.status import LocalModelEndpoint, LocalModelUnavailable
from crewai_runner.localmodel.supervisor import LocalModelSupervisor
from crewai_runner.main import create_app
from crewai_runner.wiring.container import Container
from tests.support.container import make_container
from tests.support.database import BACKENDS, fresh_database

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests that do not depend on the database."""

CANARY = "sk-canary-7c1f0b9e2d8a4c63-LAST"
OWNER = Principal("owner", BUILTIN_WORKSPACE, frozenset(Scope))
STRANGER = Principal("stranger", "ws_strangers", frozenset(Scope))
READER = Principal("reader", BUILTIN_WORKSPACE, frozenset({Scope.PROVIDERS_READ, Scope.MODELS_READ}))
NOBODY = Principal("nobody", BUILTIN_WORKSPACE, frozenset())
_PRINCIPALS = {p.subject: p for p in (OWNER, STRANGER, READER, NOBODY)}


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with fresh_database("postgresql", tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database; on PostgreSQL one is shared by all tests and emptied before each, which is faster."""
    if request.param == "sqlite":
        with fresh_database("sqlite", tmp_path) as url:
            yield url
        return
    url = request.getfixturevalue("postgresql_url")
    with psycopg.connect(url) as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))
    yield url


class FakeAuth:
    """Accepts the subject of a principal as its token."""

    def authenticate(self, authorization: str | None, _client: str) -> Principal:
        try:
            return _PRINCIPALS[(authorization or "").removeprefix("Bearer ")]
        except KeyError:
            raise InvalidApiKey from None


@dataclass
class FakeLocalModel:
    """A built-in model that tests make available with `serve`."""

    reason: str | None = "The built-in model is not installed."
    address: LocalModelEndpoint | None = None
    calls: int = field(default=0)

    def unavailable_reason(self) -> str | None:
        return self.reason

    async def endpoint(self, timeout_seconds: float | None = None) -> LocalModelEndpoint:
        self.calls += 1
        if self.address is None:
            raise LocalModelUnavailable(self.reason or "The built-in model keeps failing.")
        return self.address

    def serve(self, base_url: str, token: str) -> None:
        self.reason, self.address = None, LocalModelEndpoint(base_url, SecretStr(token))


@pytest.fixture
def container(database_url: str, tmp_path: Path, sessions: Sessions) -> Container:
    """A container that permits loopback addresses."""
    container = make_container(database_url, tmp_path, sessions, FakeAuth(), allow_private=True)
    container.local_model = cast("LocalModelSupervisor", FakeLocalModel())
    return container


def service_dependencies(container: Container) -> dict[str, Any]:
    return {
        "cipher": container.cipher,
        "mask": container.mask,
        "egress": container.egress,
        "local": container.local_model,
    }


class CatalogHarness:
    """Calls services, each in its own unit of work."""

    def __init__(self, container: Container) -> None:
        self.container = container

    async def providers(self, call: Callable[[ProviderService], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(ProviderService(session, **service_dependencies(self.container)))

    async def provider_catalog(self, call: Callable[[ProviderCatalog], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(ProviderCatalog(session, **service_dependencies(self.container)))

    async def model_catalog(self, call: Callable[[ModelCatalog], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(ModelCatalog(session, **service_dependencies(self.container)))

    async def models(self, call: Callable[[ModelService], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(ModelService(session, **service_dependencies(self.container)))


@pytest.fixture
def catalog(container: Container) -> CatalogHarness:
    return CatalogHarness(container)


@pytest.fixture(scope="session")
def product() -> FastAPI:
    return create_app(Settings.model_construct())


@pytest.fixture
def app(product: FastAPI, container: Container) -> FastAPI:
    # Set directly: the lifespan would start all components.
    product.state.container, product.state.mask = container, container.mask
    return product


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Authenticated as the owner; pass `authorization_of(subject)` as headers for others."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport,
        base_url="http://test/api/v1",
        headers={"Authorization": "Bearer owner"},
    ) as client:
        yield client


def authorization_of(subject: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {subject}"}


@pytest.fixture
async def provider(client: httpx.AsyncClient) -> dict[str, Any]:
    """A provider of the owner, with the canary as its key."""
    body = {"name": "OpenAI", "type": "openai", "apiKey": CANARY, "models": ["gpt-4o"]}
    response = await client.post("/providers", json={"provider": body})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()["provider"]
    return created
