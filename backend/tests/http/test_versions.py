"""Versions that there are not, and what is deprecated: in the headers and in the API document."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import StreamingResponse

from crewai_runner.core.errors import NotFound
from crewai_runner.core.logging import SecretMask
from crewai_runner.http import problems
from crewai_runner.http.alias import NewestVersion
from crewai_runner.http.deprecation import Deprecation, deprecated
from crewai_runner.http.openapi import describe
from crewai_runner.http.versions import VERSIONS, Versions
from crewai_runner.routes import api

SINCE = datetime(2027, 1, 1, tzinfo=UTC)
SUNSET = datetime(2027, 7, 1, 12, 30, tzinfo=UTC)
OLD = Deprecation(since=SINCE, sunset=SUNSET, link="https://docs.example/old")
OF_VERSION = Deprecation(since=SINCE, link="https://docs.example/v0")


def application() -> FastAPI:
    """Two versions, the first deprecated as a whole, and an old endpoint in the second."""
    inner = APIRouter(prefix="/things")

    @inner.get("/new")
    async def new() -> str:
        return "new"

    @inner.get("/old", **deprecated(OLD))
    async def old(fail: bool = False) -> str:
        if fail:
            raise NotFound("It is gone already.")
        return "old"

    @inner.get("/stream", **deprecated(OLD))
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a"]))

    app = FastAPI()
    for version in ("v0", "v1"):
        router = APIRouter(prefix=f"/api/{version}", deprecated=version == "v0" or None)
        router.include_router(inner)
        app.include_router(router)
    problems.install(app)
    app.state.mask = SecretMask()
    app.add_middleware(Versions, prefix="/api", versions={"v0": OF_VERSION, "v1": None})
    app.add_middleware(NewestVersion, prefix="/api")
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
        yield opened


@pytest.mark.parametrize("path", ["/api/v1/things/old", "/api/things/old", "/api/v1/things/stream"])
async def test_an_endpoint_says_that_it_will_go_when_and_where_to_read_of_it(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)

    assert answer.status_code == 200
    assert answer.headers["Deprecation"] == "@1798761600"
    assert answer.headers["Sunset"] == "Thu, 01 Jul 2027 12:30:00 GMT"
    assert answer.headers["Link"] == '<https://docs.example/old>; rel="deprecation"; type="text/html"'


@pytest.mark.parametrize("query", ["fail=true", "fail=perhaps"])
async def test_it_says_so_when_it_fails_too(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/things/old?{query}")

    assert answer.status_code in (404, 422)
    assert answer.headers["Deprecation"] == "@1798761600"


async def test_what_stays_says_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/things/new")

    assert not {"deprecation", "sunset", "link"} & set(answer.headers)


async def test_a_version_is_deprecated_as_a_whole_and_an_endpoint_of_it_by_its_own_words(
    client: httpx.AsyncClient,
) -> None:
    new, old = await client.get("/api/v0/things/new"), await client.get("/api/v0/things/old")

    assert new.headers["Deprecation"] == "@1798761600"
    assert "Sunset" not in new.headers
    assert "docs.example/v0" in new.headers["Link"]
    assert "docs.example/old" in old.headers["Link"]


def test_the_api_document_says_the_same() -> None:
    paths = describe(application())["paths"]

    assert paths["/api/v1/things/old"]["get"]["deprecated"] is True
    assert paths["/api/v1/things/old"]["get"]["x-deprecation"] == {
        "since": SINCE.isoformat(),
        "sunset": SUNSET.isoformat(),
        "link": "https://docs.example/old",
    }
    assert "deprecated" not in paths["/api/v1/things/new"]["get"]
    assert paths["/api/v0/things/new"]["get"]["deprecated"] is True


def test_the_products_own_routes_can_be_deprecated_as_a_version() -> None:
    app = FastAPI()
    app.include_router(api("/api/v0", deprecated=True))

    operations = [one for path in describe(app)["paths"].values() for one in path.values()]
    assert len(operations) > 40
    assert all(one.get("deprecated") for one in operations)


@pytest.mark.parametrize("path", ["/api/v9/things/new", "/api/v9", "/api/v10/"])
async def test_an_unknown_version_names_those_there_are(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["type"].endswith("/version-unknown")
    assert body["versions"] == ["v0", "v1"]
    assert "v0, v1" in body["detail"]


async def test_a_path_that_only_begins_like_a_version_is_none(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v9x/things")

    assert answer.status_code == 404
    assert answer.json()["type"].endswith("/not-found")


@pytest.mark.parametrize(
    "words",
    [
        {"since": SINCE.replace(tzinfo=None)},
        {"since": SINCE, "sunset": SUNSET.replace(tzinfo=None)},
        {"since": SUNSET, "sunset": SINCE},
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(words: dict[str, datetime]) -> None:
    with pytest.raises(ValueError, match=r"time zone|deprecated"):
        Deprecation(link="https://docs.example", **words)


def test_nothing_of_the_product_is_deprecated_without_a_word_in_the_guide() -> None:
    assert VERSIONS == {"v1": None}
