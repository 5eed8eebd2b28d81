"""Rules about the source text: who commits, who selects, file sizes, names."""

import ast
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from crewai_runner.features.auth.deps import Requires
from crewai_runner.features.identities.router import PUBLIC_PATHS as ISSUER_PATHS
from crewai_runner.features.mcp.authorization_router import PUBLIC_PATHS as MCP_PATHS
from crewai_runner.features.people.sign_in_router import PUBLIC_PATHS
from crewai_runner.features.public_links.router import SHARED_RUN_PATHS
from crewai_runner.routes import include_api

PACKAGE = Path(__file__).parents[2] / "crewai_runner"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
MAX_LINES = 300
GENERIC_NAMES = {"utils", "helpers", "common", "manager", "data", "info", "handle", "misc"}


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def list_calls(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def find_calls(function: str, allowed: set[str], *, as_suffix: bool = False) -> list[str]:
    """Calls of a function outside the allowed files (paths or file names)."""
    return [
        f"{relative(path)}:{line} {name}"
        for path in SOURCES
        if relative(path) not in allowed and path.name not in allowed
        for name, line in list_calls(path)
        if (name.endswith(function) if as_suffix else name == function)
    ]


def test_only_the_unit_of_work_commits() -> None:
    assert find_calls("session.commit", {"db/session.py", "db/migrate.py"}, as_suffix=True) == []


def test_only_repositories_select() -> None:
    queue = {relative(path) for path in (PACKAGE / "queue").glob("*.py")}

    repositories = {path.name for path in SOURCES if path.stem.endswith("repository")}
    assert find_calls("select", repositories | queue) == []


def test_only_the_clock_reads_the_time_of_day() -> None:
    assert find_calls("datetime.now", {"core/clock.py"}, as_suffix=True) == []
    assert find_calls("datetime.utcnow", set(), as_suffix=True) == []


def test_every_endpoint_declares_its_scope() -> None:
    app = FastAPI()
    include_api(app, "/api/v1")
    routes = list(list_routes(app.router))

    # WebSocket endpoints are no APIRoute: they check the scope before they accept.
    without_scope = [
        route.path
        for route in routes
        if isinstance(route, APIRoute)
        and not any(isinstance(d.call, Requires) for d in list_dependencies(route.dependant))
    ]

    assert len(routes) > 40
    assert set(without_scope) == {*PUBLIC_PATHS, *ISSUER_PATHS, *SHARED_RUN_PATHS, *MCP_PATHS}


def list_routes(router: APIRouter) -> Iterator[BaseRoute]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if isinstance(inner, APIRouter):
            yield from list_routes(inner)
        else:
            yield route


def list_dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield inner
        yield from list_dependencies(inner)


def test_files_are_short() -> None:
    lengths = {relative(path): len(path.read_text().splitlines()) for path in SOURCES}

    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_files_have_specific_names() -> None:
    assert [relative(path) for path in SOURCES if path.stem in GENERIC_NAMES] == []


def test_import_contracts_have_no_exemptions() -> None:
    assert "ignore_imports" not in (PACKAGE.parent / "pyproject.toml").read_text()
