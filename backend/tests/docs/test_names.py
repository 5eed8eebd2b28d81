"""What the pages name is there: make targets, settings, files, endpoints, problems."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crewai_runner.core.errors import AppError
from crewai_runner.core.settings import Settings
from crewai_runner.main import create_app
from tests.docs.pages import PAGES, ROOT, Page, read

BACKEND = ROOT / "backend"
# Where a path in a page may begin.
ROOTS = (ROOT, BACKEND, BACKEND / "crewai_runner", BACKEND / "crewai_runner" / "features")
SUFFIXES = "py|md|toml|yaml|json|lock|ini|example"
FILE = re.compile(rf"(?:[\w.-]+/)*[\w.-]*\.(?:{SUFFIXES})|(?:[\w.-]+/)+")
# What a running server makes; `test_readme.py` looks into a real data folder.
MADE_AT_RUN_TIME = {"data/", "engine/", ".crewai-runner.lock"}
TARGET = re.compile(r"^(?:\$ )?make ([a-z][a-z-]*)", re.MULTILINE)
VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
ENDPOINT = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[\w./{}-]+)")

every_page = pytest.mark.parametrize("page", [read(path) for path in PAGES], ids=lambda page: page.name)


@functools.cache
def sources() -> str:
    """The text of everything that is run, without the pages' own tests."""
    files = [ROOT / "Makefile", ROOT / ".env.example", *BACKEND.glob("crewai_runner/**/*.py")]
    files += [*(ROOT / "frontend").glob("*.ts"), *ROOT.glob("docker-compose*.yml")]
    files += [path for path in BACKEND.glob("tests/**/*.py") if path.parent != Path(__file__).parent]
    return "\n".join(path.read_text() for path in files)


@functools.cache
def endpoints() -> frozenset[tuple[str, str]]:
    """(verb, path) with every parameter as `{}`."""
    paths = create_app(Settings.model_construct()).openapi()["paths"]
    return frozenset((verb.upper(), _bare(path)) for path, verbs in paths.items() for verb in verbs)


@functools.cache
def file_names() -> frozenset[str]:
    """Names of all files of the project, for pages that name one without its folder."""
    folders = (BACKEND / "crewai_runner", BACKEND / "tests", BACKEND / "benchmarks")
    deep = {path.name for folder in folders for path in folder.rglob("*.*")}
    return frozenset(deep | {path.name for folder in (ROOT, BACKEND) for path in folder.iterdir()})


def exists(name: str) -> bool:
    if "/" not in name:
        return name in file_names()
    return any((root / name).exists() for root in ROOTS)


def is_route(verb: str, path: str) -> bool:
    """Whether a route takes this path; a page may write a parameter as `{id}` or as a value."""
    return any(
        verb == known and re.fullmatch(re.escape(route).replace(r"\{\}", r"(\{\}|[\w.-]+)"), spelling)
        for known, route in endpoints()
        for spelling in spellings(path)
    )


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def spellings(path: str) -> Iterator[str]:
    """A path as the application has it, whether or not the page wrote the prefix."""
    bare = _bare(path)
    yield bare
    yield f"/api/v1{bare.removeprefix('/api')}"


@every_page
def test_named_targets_are_in_the_makefile(page: Page) -> None:
    makefile = (ROOT / "Makefile").read_text()

    named = {target for text in page.code for target in TARGET.findall(text)}

    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()


@every_page
def test_named_variables_are_read_by_something(page: Page) -> None:
    named = {name for text in page.code for name in VARIABLE.findall(text)}

    known = {name.upper() for name in Settings.model_fields}
    assert {name for name in named - known if not re.search(rf"\b{name}\b", sources())} == set()


@every_page
def test_named_files_exist(page: Page) -> None:
    named = {span for span in page.spans if FILE.fullmatch(span)} - MADE_AT_RUN_TIME

    assert {name for name in named if not exists(name)} == set()


@every_page
def test_links_lead_to_files(page: Page) -> None:
    assert [link for link in page.links if not (page.path.parent / link).exists()] == []


@every_page
def test_named_endpoints_are_routes(page: Page) -> None:
    named = {found for text in page.code for found in ENDPOINT.findall(text)}

    assert {f"{verb} {path}" for verb, path in named if not is_route(verb, path)} == set()


def test_every_setting_is_in_the_sample_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRONTEND_DIR")
    sample = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert {name.lower() for name, _ in sample} == set(Settings.model_fields)
    given = {name.lower(): value for name, value in sample if value}
    assert Settings(_env_file=None, **given).model_dump() == Settings.model_construct().model_dump()


def test_every_setting_is_in_the_operations_page() -> None:
    page = read(ROOT / "docs" / "OPERATIONS.md")

    named = {name for text in page.spans for name in re.findall(r"[A-Z][A-Z_]+", text)}

    assert {name.upper() for name in Settings.model_fields} - named == set()


def test_named_problems_are_raised_with_that_status() -> None:
    create_app(Settings.model_construct())
    page = read(ROOT / "docs" / "API.md")

    named = re.findall(r"^\| `([a-z-]+)` \| ([45]\d\d) \|", page.text, re.MULTILINE)

    known = {(error.slug, str(int(error.status))) for error in _all_errors(AppError)}
    assert len(named) >= 10
    assert set(named) - known == set()


def _all_errors(base: type[AppError]) -> Iterator[type[AppError]]:
    yield base
    for error in base.__subclasses__():
        yield from _all_errors(error)
