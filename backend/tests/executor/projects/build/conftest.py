"""An index on this machine, and builds with one interpreter."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crewai_runner.executor.projects.build import environment_builder
from crewai_runner.executor.projects.build.interpreters import Interpreter
from tests.support.package_index import PackageIndex, serve_index


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    with serve_index() as served:
        yield served


@pytest.fixture
def only_this_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    version, path = ".".join(map(str, sys.version_info[:3])), Path(sys.executable).resolve()

    async def find() -> list[Interpreter]:
        return [Interpreter(version, path)]

    monkeypatch.setattr(environment_builder, "find_interpreters", find)
