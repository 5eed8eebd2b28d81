"""Import rules that the contracts of import-linter cannot express."""

import grimp
import pytest

PUBLIC_MODULES = {"service", "writes", "schemas", "errors"}
FEATURES = "crewai_runner.features"
ASSEMBLY = {"crewai_runner.routes", "crewai_runner.main"}
"""They mount routers and middleware, and may import any module of a feature; so may `wiring`."""
WIRING = "crewai_runner.wiring."
SHARED_DEPS = {f"{FEATURES}.auth.deps", f"{FEATURES}.idempotency.deps"}
"""FastAPI dependencies that the endpoints of every feature use."""
WEB_FRAMEWORK = ("crewai_runner.http", "fastapi", "starlette")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("crewai_runner", include_external_packages=True)


def feature_of(module: str) -> str:
    path = module.removeprefix(FEATURES + ".")
    return path.split(".", 1)[0] if path != module else ""


def local_name(module: str) -> str:
    """The module's path inside its feature: `service`, or `probe.protocols` in a subpackage."""
    return module.removeprefix(f"{FEATURES}.{feature_of(module)}.")


def test_features_import_only_public_modules_of_other_features(graph: grimp.ImportGraph) -> None:
    violations = [
        f"{importer} -> {module}"
        for module in graph.find_descendants(FEATURES)
        for importer in graph.find_modules_that_directly_import(module)
        if feature_of(importer) != feature_of(module)
        and local_name(module) not in PUBLIC_MODULES
        and module not in SHARED_DEPS
        and importer not in ASSEMBLY
        and not importer.startswith(WIRING)
    ]

    assert violations == []


def test_only_the_assembly_imports_routers(graph: grimp.ImportGraph) -> None:
    routers = [module for module in graph.find_descendants(FEATURES) if module.endswith(".router")]

    importers = {i for router in routers for i in graph.find_modules_that_directly_import(router)}

    assert routers
    assert importers <= ASSEMBLY


def test_use_cases_do_not_import_the_web_framework(graph: grimp.ImportGraph) -> None:
    inner = {"service", "writes", "repository", "rules", "errors", "schemas", "event_writer"}

    violations = [
        f"{module} -> {imported}"
        for module in graph.find_descendants(FEATURES)
        if local_name(module) in inner or _is_in_subpackage(module)
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.startswith(WEB_FRAMEWORK)
    ]

    assert violations == []


def _is_in_subpackage(module: str) -> bool:
    """Whether a module is in a subpackage of a feature, and does not serve its endpoints."""
    *packages, name = local_name(module).split(".")
    return bool(packages) and name not in {"router", "deps", "form"}
