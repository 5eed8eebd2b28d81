"""Rules of the house that only the source text shows."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from crewai_runner.features.auth.deps import Requires
from crewai_runner.routes import api

PACKAGE = Path(__file__).parents[2] / "crewai_runner"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
BANNED_NAMES = {"utils", "helpers", "common", "manager", "data", "info", "handle", "misc"}


def calls_of(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def places(wanted: str, allowed: set[str], *, endswith: bool = False) -> list[str]:
    return [
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path in SOURCES
        if str(path.relative_to(PACKAGE)) not in allowed and path.name not in allowed
        for name, line in calls_of(path)
        if (name.endswith(wanted) if endswith else name == wanted)
    ]


def test_only_the_unit_of_work_commits() -> None:
    allowed = {"db/session.py", "db/migrate.py"}

    assert places("session.commit", allowed, endswith=True) == []


def test_only_repositories_select() -> None:
    allowed = {"repository.py"} | {
        str(path.relative_to(PACKAGE)) for path in (PACKAGE / "queue").glob("*.py")
    }

    assert places("select", allowed) == []


def test_only_the_clock_asks_for_the_time_of_day() -> None:
    assert places("datetime.now", {"core/clock.py"}, endswith=True) == []
    assert places("datetime.utcnow", set(), endswith=True) == []


def test_every_endpoint_says_who_may_come_in() -> None:
    routes = list(_endpoints(api("/api/v1")))
    open_doors = [
        route.path
        for route in routes
        # A WebSocket endpoint asks for the right itself, before it accepts.
        if isinstance(route, APIRoute)
        and not any(isinstance(d.call, Requires) for d in _all_dependencies(route.dependant))
    ]

    assert len(routes) > 40
    assert open_doors == []


def _endpoints(router: APIRouter) -> Iterator[Any]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from _endpoints(inner)


def _all_dependencies(dependant: Any) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner
        yield from _all_dependencies(inner)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_of_a_readable_size_and_well_named(path: Path) -> None:
    assert path.stem not in BANNED_NAMES
    assert len(path.read_text().splitlines()) <= 350


def test_no_import_contract_has_an_exemption() -> None:
    text = (PACKAGE.parent / "pyproject.toml").read_text()

    assert "ignore_imports" not in text
