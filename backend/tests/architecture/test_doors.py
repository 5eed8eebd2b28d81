"""The two holes that layered contracts leave: a feature is entered by its doors only."""

import grimp
import pytest

DOORS = {"service", "schemas", "errors"}
# The files that mount routers, build processes and open the app: they may see every part.
TABLES = {"crewai_runner.routes", "crewai_runner.main"}
WIRING = "crewai_runner.wiring."
FEATURES = "crewai_runner.features"
# Kits that features offer to other features' edges: who may come in, and the once-only answer.
SHARED_DEPS = {f"{FEATURES}.auth.deps", f"{FEATURES}.idempotency.deps"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("crewai_runner", include_external_packages=True)


def local_name(module: str) -> str:
    """The module's path inside its feature: `service`, or `probe.protocols` in a subpackage."""
    return module.removeprefix(f"{FEATURES}.{feature_of(module)}.")


def feature_of(module: str) -> str:
    rest = module.removeprefix(FEATURES + ".")
    return rest.split(".", 1)[0] if rest != module else ""


def test_features_are_entered_by_their_doors(graph: grimp.ImportGraph) -> None:
    trespassers = [
        f"{importer} -> {module}"
        for module in graph.find_descendants(FEATURES)
        for importer in graph.find_modules_that_directly_import(module)
        if feature_of(importer) != feature_of(module)
        and local_name(module) not in DOORS
        and module not in SHARED_DEPS
        and importer not in TABLES
        and not importer.startswith(WIRING)
    ]

    assert trespassers == []


def test_nobody_imports_a_router_but_the_table(graph: grimp.ImportGraph) -> None:
    routers = [m for m in graph.find_descendants(FEATURES) if m.endswith(".router")]

    importers = {i for router in routers for i in graph.find_modules_that_directly_import(router)}

    assert routers
    assert importers <= TABLES


def test_no_use_case_knows_the_web(graph: grimp.ImportGraph) -> None:
    inner = {"service", "repository", "rules", "errors", "schemas", "event_writer"}
    web = ("crewai_runner.http", "fastapi", "starlette")

    trespassers = [
        f"{module} -> {imported}"
        for module in graph.find_descendants(FEATURES)
        # Every module of a subpackage is part of a use case, too.
        if local_name(module) in inner or "." in local_name(module)
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.startswith(web)
    ]

    assert trespassers == []
