"""What the container provides."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from crewai_runner.core.settings import Settings
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.http.deps import Provided
from crewai_runner.main import create_app
from crewai_runner.wiring.container import Container
from tests.support.harness import make_settings

FEATURES = Path(__file__).parents[2] / "crewai_runner" / "features"


def _declared() -> set[type]:
    """Every dataclass `...Deps` that a feature defines."""
    modules = [
        importlib.import_module(f"crewai_runner.features.{path.parent.name}.{path.stem}")
        for path in sorted(FEATURES.glob("*/*.py"))
        if "Deps:" in path.read_text()
    ]
    return {
        value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and name.endswith("Deps") and value.__module__ == module.__name__
    }


def _requested() -> set[type]:
    """Every type that an endpoint gets from the container."""

    def dependencies(dependant: Dependant) -> Iterator[Dependant]:
        for inner in dependant.dependencies:
            yield inner
            yield from dependencies(inner)

    return {
        inner.call.kind
        for route in _routes(create_app(Settings.model_construct()).routes)
        for inner in dependencies(route.dependant)
        if isinstance(inner.call, Provided)
    }


def _routes(routes: Sequence[BaseRoute]) -> Iterator[APIRoute | APIWebSocketRoute]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes(inner.routes)
        elif isinstance(route, APIRoute | APIWebSocketRoute):
            yield route


@pytest.fixture
async def container(tmp_path: Path) -> Container:
    settings = make_settings(f"sqlite:///{tmp_path}/x.db", tmp_path)
    return Container(settings, executor=ScriptedExecutor())


class TestProvide:
    @pytest.mark.parametrize("kind", sorted(_declared(), key=lambda kind: kind.__name__))
    async def test_every_feature_s_dependencies(self, container: Container, kind: type) -> None:
        assert type(container.provide(kind)) is kind

    async def test_everything_that_endpoints_request(self, container: Container) -> None:
        requested = _requested()

        assert len(requested) > 10
        assert all(isinstance(container.provide(kind), kind) for kind in requested)

    async def test_unknown_type_raises_lookup_error(self, container: Container) -> None:
        with pytest.raises(LookupError, match="does not provide int"):
            container.provide(int)
