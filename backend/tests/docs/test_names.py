"""Make targets, settings, files, endpoints and problem types named in the documentation exist."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crewai_runner.core.errors import AppError
from crewai_runner.core.settings import Settings
from crewai_runner.main import create_app
from tests.docs.pages import PAGES, ROOT, Page, read_page

BACKEND = ROOT / "backend"
# Directories to which paths in a page may be relative.
ROOTS = (ROOT, BACKEND, BACKEND / "crewai_runner", BACKEND / "crewai_runner" / "features")
SUFFIXES = "py|md|toml|yaml|json|lock|ini|example"
FILE = re.compile(rf"(?:[\w.-]+/)*[\w.-]*\.(?:{SUFFIXES})|(?:[\w.-]+/)+")
# Created by a running server; `test_readme.py` checks a real data directory.
RUNTIME_FILES = {"data/", "engine/", ".crewai-runner.lock"}
TARGET = re.compile(r"^(?:\$ )?make ([a-z][a-z-]*)", re.MULTILINE)
VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
ENDPOINT = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w./{}-]+)")

every_page = pytest.mark.parametrize("page", [read_page(path) for path in PAGES], ids=lambda page: page.name)


@functools.cache
def sources() -> str:
    """Return the text of all source files except the tests of the documentation."""
    files = [ROOT / "Makefile", ROOT / ".env.example", *BACKEND.glob("crewai_runner/**/*.py")]
    files += [*(ROOT / "frontend").glob("*.ts"), *ROOT.glob("docker-compose*.yml")]
    files += [path for path in BACKEND.glob("tests/**/*.py") if path.parent != Path(__file__).parent]
    return "\n".join(path.read_text() for path in files)


@functools.cache
def endpoints() -> frozenset[tuple[str, str]]:
    """Return (method, path) of all routes, with every parameter as `{}`."""
    paths = create_app(Settings.model_construct()).openapi()["paths"]
    return frozenset(
        (method.upper(), _without_names(path)) for path, methods in paths.items() for method in methods
    )


@functools.cache
def file_names() -> frozenset[str]:
    """Return the names of all files, for pages that name a file without its folder."""
    folders = (BACKEND / "crewai_runner", BACKEND / "tests", BACKEND / "benchmarks")
    deep = {path.name for folder in folders for path in folder.rglob("*.*")}
    return frozenset(deep | {path.name for folder in (ROOT, BACKEND) for path in folder.iterdir()})


def exists(name: str) -> bool:
    if "/" not in name:
        return name in file_names()
    return any((root / name).exists() for root in ROOTS)


def is_route(method: str, path: str) -> bool:
    """Whether a route matches this path; a parameter may be written as `{id}` or as a value."""
    return any(
        method == known and re.fullmatch(re.escape(route).replace(r"\{\}", r"(\{\}|[\w.-]+)"), variant)
        for known, route in endpoints()
        for variant in path_variants(path)
    )


def _without_names(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def path_variants(path: str) -> Iterator[str]:
    """Yield the path as given and with the versioned prefix."""
    path = _without_names(path)
    yield path
    yield f"/api/v1{path.removeprefix('/api')}"


def _all_errors(base: type[AppError]) -> Iterator[type[AppError]]:
    yield base
    for error in base.__subclasses__():
        yield from _all_errors(error)


class TestPages:
    @every_page
    def test_make_targets_exist(self, page: Page) -> None:
        makefile = (ROOT / "Makefile").read_text()

        named = {target for text in page.code for target in TARGET.findall(text)}

        assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()

    @every_page
    def test_environment_variables_are_used(self, page: Page) -> None:
        named = {name for text in page.code for name in VARIABLE.findall(text)}

        known = {name.upper() for name in Settings.model_fields}
        assert {name for name in named - known if not re.search(rf"\b{name}\b", sources())} == set()

    @every_page
    def test_files_exist(self, page: Page) -> None:
        named = {span for span in page.spans if FILE.fullmatch(span)} - RUNTIME_FILES

        assert {name for name in named if not exists(name)} == set()

    @every_page
    def test_links_point_to_files(self, page: Page) -> None:
        assert [link for link in page.links if not (page.path.parent / link).exists()] == []

    @every_page
    def test_endpoints_exist(self, page: Page) -> None:
        named = {found for text in page.code for found in ENDPOINT.findall(text)}

        assert {f"{method} {path}" for method, path in named if not is_route(method, path)} == set()


class TestSettings:
    def test_env_example_contains_every_setting_with_its_default(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("FRONTEND_DIR")
        sample = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)

        deprecated = {
            name
            for name, field in Settings.model_fields.items()
            if (field.description or "").startswith("Deprecated")
        }
        assert {name.lower() for name, _ in sample} == set(Settings.model_fields) - deprecated
        given = {name.lower(): value for name, value in sample if value}
        assert Settings(_env_file=None, **given).model_dump() == Settings.model_construct().model_dump()

    def test_operations_page_contains_every_setting(self) -> None:
        page = read_page(ROOT / "docs" / "OPERATIONS.md")

        named = {name for text in page.spans for name in re.findall(r"[A-Z][A-Z_]+", text)}

        assert {name.upper() for name in Settings.model_fields} - named == set()


class TestErrors:
    def test_documented_problem_types_exist_with_their_status(self) -> None:
        create_app(Settings.model_construct())
        page = read_page(ROOT / "docs" / "API.md")

        named = re.findall(r"^\| `([a-z-]+)` \| ([45]\d\d) \|", page.text, re.MULTILINE)

        known = {(error.slug, str(int(error.status))) for error in _all_errors(AppError)}
        assert len(named) >= 10
        assert set(named) - known == set()
