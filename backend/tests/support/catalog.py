"""Helpers for tests of providers and models."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from crewai_runner.db.session import unit_of_work
from crewai_runner.features.models.catalog import ModelCatalog
from crewai_runner.features.models.service import ModelService
from crewai_runner.features.providers.catalog.provider_catalog import ProviderCatalog
from crewai_runner.features.providers.service import ProviderService
from crewai_runner.localmodel.status import LocalModelEndpoint, LocalModelUnavailable
from crewai_runner.wiring.container import Container

PROVIDER_KEY = "sk-canary-7c1f0b9e2d8a4c63-LAST"


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


class CatalogHarness:
    """Calls services, each in its own unit of work."""

    def __init__(self, container: Container) -> None:
        self.container = container

    async def providers(self, call: Callable[[ProviderService], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(ProviderService(session, self.container.provider_deps()))

    async def provider_catalog(self, call: Callable[[ProviderCatalog], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(ProviderCatalog(session, self.container.provider_deps()))

    async def model_catalog(self, call: Callable[[ModelCatalog], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(ModelCatalog(session, self.container.provider_deps()))

    async def models(self, call: Callable[[ModelService], Any]) -> Any:
        async with unit_of_work(self.container.sessions) as session:
            return await call(self.container.models(session))
